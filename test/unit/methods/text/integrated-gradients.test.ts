import { describe, expect, test } from 'vitest'
import { AppError } from '../../../../lib/errors.ts'
import { integratedGradients } from '../../../../lib/methods/text/integrated-gradients.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'
import { dot, fakeContext, fakeModel, MASK, PAD, SIZE, U, V, wordOf } from './fake-model.ts'

const IDS = [101, 7, 12, 7, 3, 102]
const WORDS = [7, 12, 7, 3]
const run = (
  params: object,
  { sharpness = 1, ...context }: { sharpness?: number } & Parameters<typeof fakeContext>[1] = {},
) => integratedGradients.run(fakeContext(fakeModel(sharpness), context), integratedGradients.params.parse(params))
const ZERO = new Array<number>(SIZE).fill(0)
const MEAN = ZERO.map((_, feature) => WORDS.reduce((sum, id) => sum + (wordOf(id)[feature] ?? 0), 0) / WORDS.length)
const BASELINES = { zero: ZERO, pad: wordOf(PAD), mask: wordOf(MASK), mean: MEAN }
type Name = keyof typeof BASELINES
/** Closed form for class 0: special tokens kept. */
const tanhScores = (baseline: Name): number[] => [
  0,
  ...WORDS.map((id) => Math.tanh(dot(U, wordOf(id))) - Math.tanh(dot(U, BASELINES[baseline]))),
  0,
]
const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs))
const difference = (found: ArrayLike<number>, expected: readonly number[]) =>
  largest(expected.map((value, index) => value - (found[index] ?? Number.NaN)))

describe.each(['zero', 'pad', 'mask', 'mean'] as const)('baseline %s', (baseline) => {
  test('Gauss-Legendre equals the closed form; completeness to 1e-6', async () => {
    const { scores, completeness } = await run({ baseline, steps: 32 })
    expect(difference(scores.data, tanhScores(baseline))).toBeLessThan(1e-6)
    expect(completeness?.error).toBeLessThan(1e-6)
    expect(completeness?.points).toBe(32)
  })

  test('auto equals the closed form within its promise', async () => {
    const { scores, completeness, diagnoses } = await run({ baseline })
    expect(difference(scores.data, tanhScores(baseline))).toBeLessThan(0.01)
    expect(completeness?.error).toBeLessThanOrEqual(0.01)
    expect(diagnoses).toEqual([])
  })

  test('a score that ties all tokens together', async () => {
    const { scores } = await run({ baseline, steps: 8 }, { target: 1 })
    const base = BASELINES[baseline]
    const ends = dot(V, wordOf(101)) + dot(V, wordOf(102))
    const zx = ends + WORDS.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)
    const zb = ends + WORDS.length * dot(V, base)
    const expected = WORDS.map((id) => ((dot(V, wordOf(id)) - dot(V, base)) * (zx + zb)) / 2)
    expect(difference(scores.data, [0, ...expected, 0])).toBeLessThan(1e-5)
  })
})

test('several: the average over pad, mask and zero; completeness of the average', async () => {
  const { scores, completeness } = await run({ baseline: 'several', steps: 32 })
  const parts = (['pad', 'mask', 'zero'] as const).map(tanhScores)
  expect(
    difference(
      scores.data,
      IDS.map((_, token) => parts.reduce((sum, part) => sum + (part[token] ?? 0) / 3, 0)),
    ),
  ).toBeLessThan(1e-6)
  expect(completeness?.error).toBeLessThan(1e-6)
  expect(completeness?.points).toBe(96)
})

test('special tokens can be replaced too', async () => {
  const { scores } = await run({ baseline: 'zero', steps: 32, specialTokens: 'replace' })
  expect(
    difference(
      scores.data,
      IDS.map((id) => Math.tanh(dot(U, wordOf(id)))),
    ),
  ).toBeLessThan(1e-6)
})

test('the margin is explained where asked', async () => {
  const { completeness, scores } = await run({ baseline: 'zero', steps: 64, scalar: 'margin' })
  const [own, other] = await Promise.all([0, 1].map((target) => run({ baseline: 'zero', steps: 64 }, { target })))
  const expected = IDS.map((_, token) => (own?.scores.data[token] ?? 0) - (other?.scores.data[token] ?? 0) / 2)
  expect(difference(scores.data, expected)).toBeLessThan(1e-5)
  expect(completeness?.error).toBeLessThan(1e-6)
})

describe('rules', () => {
  test('errors fall in the order of their exactness', async () => {
    const errors: number[] = []
    for (const rule of ['gauss-legendre', 'midpoint', 'trapezoid', 'left'])
      errors.push((await run({ rule, steps: 20, baseline: 'zero' })).completeness?.error ?? Number.NaN)
    expect(errors).toEqual([...errors].sort((a, b) => a - b))
    expect(errors.at(-1)).toBeGreaterThan(1e-3)
  })

  test('the right rule with one step is input x gradient from a zero baseline', async () => {
    const { scores } = await run({ rule: 'right', steps: 1, baseline: 'zero' })
    const expected = WORDS.map((id) => dot(U, wordOf(id)) * (1 - Math.tanh(dot(U, wordOf(id))) ** 2))
    expect(difference(scores.data, [0, ...expected, 0])).toBeLessThan(1e-6)
  })

  test('one trapezoid is none', () => {
    expect(integratedGradients.params.safeParse({ rule: 'trapezoid', steps: 1 }).success).toBe(false)
    expect(integratedGradients.params.safeParse({ rule: 'trapezoid', steps: 2 }).success).toBe(true)
  })
})

describe('auto', () => {
  test('takes few points where the path is smooth, more where it is not, and none twice', async () => {
    const taken: number[] = []
    for (const sharpness of [1, 10, 30]) {
      const model = fakeModel(sharpness)
      const { completeness } = await integratedGradients.run(fakeContext(model), integratedGradients.params.parse({}))
      const asked = model.questions.flatMap(({ from }) => from?.['words']?.dims[0] ?? [])
      expect(asked.reduce((sum, rows) => sum + rows, 0)).toBe(completeness?.points)
      expect(completeness?.error).toBeLessThanOrEqual(0.01)
      taken.push(completeness?.points ?? 0)
    }
    expect(taken[0]).toBe(9)
    expect(taken).toEqual([...taken].sort((a, b) => a - b))
    expect(taken.at(-1)).toBeGreaterThan(17)
  })

  test('a path that is too sharp ends at the bound, with a diagnosis', async () => {
    const { completeness, diagnoses } = await run({}, { sharpness: 1e12 })
    expect(completeness?.points).toBe(257)
    expect(completeness?.error).toBeGreaterThan(0.01)
    expect(diagnoses.map(({ code }) => code)).toContain('COMPLETENESS')
  })
})

describe('edge cases', () => {
  test('too few fixed points are diagnosed, with advice', async () => {
    const { diagnoses } = await run({ steps: 2, rule: 'left' }, { sharpness: 5 })
    expect(diagnoses.find(({ code }) => code === 'COMPLETENESS')?.message).toContain('Use more steps')
  })

  test('a text that equals its baseline scores zero, and says so; the error is a finite number', async () => {
    const { scores, completeness, diagnoses } = await run({ baseline: 'pad' }, { ids: [101, PAD, 102] })
    expect([...scores.data]).toEqual([0, 0, 0])
    expect(completeness).toEqual({ sum: 0, expected: 0, error: 0, points: 9 })
    expect(diagnoses.map(({ code }) => code)).toEqual(['ZERO_GRADIENT'])
  })

  test('a tokenizer without that token', async () => {
    const without = { vocabulary: { pad: null, mask: null, unknown: 100 } }
    await expect(run({ baseline: 'mask' }, without)).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
    const { completeness } = await run({ baseline: 'several', steps: 16 }, without)
    expect(completeness?.points).toBe(16)
  })

  test('aborting between batches ends the run', async () => {
    const controller = new AbortController()
    let calls = 0
    const stopped = run(
      {},
      {
        sharpness: 30_000,
        signal: controller.signal,
        progress: () => {
          calls += 1
          if (calls === 3) controller.abort()
        },
      },
    )
    await expect(stopped).rejects.toSatisfy((error) => AppError.from(error).code === 'CANCELLED')
    expect(calls).toBe(3)
  })
})

test.each(['bert', 'bert-spelled'] as const)('equals Captum on a transformer, %s', async (name) => {
  const { scores } = await onTiny(integratedGradients, name, { steps: 32, rule: 'gauss-legendre' })
  expect(relativeDifference(scores.data, goldens.bert['integrated-gradients'])).toBeLessThan(1e-4)
})
