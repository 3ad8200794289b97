/** A model that reads a fixed length: padding behind the text changes no score, and has none. */
import { expect, test } from 'vitest'
import { METHODS } from '../../../../../lib/methods/index.ts'
import type { TextMethod } from '../../../../../lib/methods/method.ts'
import { relativeDifference, FLOAT32 } from '../../../../helpers/tolerance.ts'
import { fakeContext, fakeModel } from '../fake-model.ts'

/** Attention has its own test: this model has none. */
const TEXT_METHODS = METHODS.filter(
  (method): method is TextMethod =>
    method.modality === 'text' &&
    method.needs.every(({ place, rules }) => place === 'embedding' && rules === undefined),
)
const IDS = [101, 7, 12, 7, 3, 102]

const baselines = ['mask', 'pad', 'zero', 'mean'].flatMap((baseline) =>
  ['keep', 'replace'].map((specialTokens) => ['integrated-gradients', { baseline, specialTokens, steps: 8 }] as const),
)
const cases: readonly (readonly [string, object])[] = [
  ...TEXT_METHODS.map((method) => [method.id, {}] as const),
  ...baselines,
  ['occlusion', { window: 3, replacement: 'zero' }],
]

test.each(cases)('%s %o', async (id, chosen) => {
  const method = TEXT_METHODS.find((one) => one.id === id)
  const run = async (length: number | null) =>
    method?.run(fakeContext(fakeModel(1, length), { ids: IDS, target: 1 }), method.params.parse(chosen))
  const [open, fixed] = [await run(null), await run(11)]
  expect(fixed?.scores.dims).toEqual([IDS.length])
  expect(relativeDifference(fixed?.scores.data ?? [], open?.scores.data ?? [])).toBeLessThan(FLOAT32)
  expect(open?.scores.data.some((score) => score !== 0)).toBe(true)
  expect(fixed?.completeness?.error ?? 0).toBeCloseTo(open?.completeness?.error ?? 0, 5)
})
