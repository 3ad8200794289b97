/** What holds for every text method, whatever it computes. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import type { TextContext } from '../../../../lib/methods/context.ts'
import type { TextMethod } from '../../../../lib/methods/method.ts'
import { predictedClass } from '../../../../lib/target/scalar.ts'
import { loadTiny, tinyContext, type Tiny } from '../../../helpers/tiny-transformer.ts'
import { fakeContext, fakeModel, type Changes } from './fake-model.ts'

interface FieldSchema {
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
}

/** By id: what makes a dear method cheap enough to be run dozens of times. */
const CHEAP: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  lime: { samples: 60 },
  'kernel-shap': { samples: 60 },
  'partition-shap': { evaluations: 60 },
}

/** Tokens of a long text, where it is not a model's usual most: one that asks of each word, twice, takes the toy model long. */
const LONG: Readonly<Record<string, number>> = { perturbation: 128 }

/** Methods that draw samples: their scores are estimates. */
const SEEDED: readonly string[] = ['smooth-grad', 'gradient-shap', 'expected-gradients', 'lime']

/** A model to ask a method on, and what can be asked there. */
interface World {
  readonly open: () => Promise<ExplainableModel>
  readonly context: (model: ExplainableModel, changes: Changes) => TextContext
  readonly cases: readonly { readonly name: string; readonly ids: number[] }[]
  /** An input whose class is certain; null where there is none. */
  readonly certain: Changes | null
}

/** Closed forms, for whatever asks for an embedding and its gradient. */
function formulas(of: TextMethod): World {
  return {
    open: () => Promise.resolve(fakeModel()),
    context: (model, changes) => fakeContext(model, { ...changes, of }),
    cases: [
      { name: 'a text', ids: [101, 7, 12, 7, 3, 102] },
      { name: 'one token', ids: [101, 7, 102] },
      { name: 'only special tokens', ids: [101, 102] },
      { name: 'a long text', ids: Array.from({ length: LONG[of.family] ?? 512 }, (_, index) => (index * 37) % 991) },
    ],
    certain: { ids: new Array<number>(60).fill(7), target: 1 },
  }
}

/** A graph, for what needs attention or bends the backward pass. */
function network(of: TextMethod, name: Tiny): World {
  return {
    open: () => loadTiny(name),
    context: (model, { target = 0, ...changes }) => tinyContext(model, { ...changes, target, of }),
    cases: [
      { name: 'a text', ids: [2, 17, 41, 8, 41, 29, 3] },
      { name: 'one token', ids: [2, 17, 3] },
      { name: 'only special tokens', ids: [2, 3] },
      { name: 'as long a text as it reads', ids: Array.from({ length: 24 }, (_, index) => 5 + ((index * 37) % 50)) },
    ],
    certain: null,
  }
}

function worldOf(method: TextMethod): World {
  const rules = method.needs.flatMap((need) => need.rules ?? [])
  // LRP itself has no rules for transformers.
  if (rules.includes('lrp')) return network(method, 'mlp')
  return rules.length > 0 || method.needs[0]?.place === 'attention' ? network(method, 'bert') : formulas(method)
}

export function describeTextMethod(method: TextMethod): void {
  const place = method.needs[0]?.place
  describe(method.id, () => {
    describesItself(method)
    answersTheQuestion(method, worldOf(method))
    if (place !== undefined && place !== 'embedding')
      test('is refused for a model that shows no such place, in a sentence', async () => {
        const run = async () => method.run(fakeContext(fakeModel(), { of: method }), method.params.parse({}))
        await expect(run()).rejects.toMatchObject({ code: 'METHOD_UNAVAILABLE' })
      })
  })
}

function describesItself(method: TextMethod): void {
  const defaults = method.params.parse({})

  test('describes itself', () => {
    expect(method.id).toMatch(/^[a-z][a-z-]*$/u)
    expect(method.version).toBeGreaterThanOrEqual(1)
    expect(method.summary).toMatch(/\.$/u)
    expect(method.paper?.url ?? 'https://').toMatch(/^https:/u)
    expect(method.cost(defaults, { tap: null, classes: 2, tokens: 8, pixels: 0 })).toBeGreaterThanOrEqual(1)
  })

  test('its parameters become a form: JSON Schema with a title, a description and a default each', () => {
    const schema = z.toJSONSchema(method.params, { io: 'input' }) as {
      properties: Record<string, FieldSchema>
      additionalProperties: boolean
      required?: string[]
    }
    expect([schema.additionalProperties, schema.required]).toEqual([false, undefined])
    for (const [name, field] of Object.entries(schema.properties))
      expect([name, typeof field.title, typeof field.description, 'default' in field]).toEqual([
        name,
        'string',
        'string',
        true,
      ])
    expect(() => z.toJSONSchema(method.params)).not.toThrow()
  })

  test('an unknown parameter is refused', () => {
    expect(method.params.safeParse({ notAParameter: 1 }).success).toBe(false)
  })
}

function answersTheQuestion(method: TextMethod, world: World): void {
  const defaults = method.params.parse(CHEAP[method.id] ?? {})
  const contextOf = (changes: Changes = {}) => world.context(model, changes)
  let model: ExplainableModel
  beforeEach(async () => {
    model = await world.open()
  })
  afterEach(() => model.dispose())

  test.each(world.cases)(
    '$name: a finite score a token, logits of this text, progress that rises to 1',
    async ({ ids }) => {
      for (const target of [0, 1, 2]) {
        const shares: number[] = []
        const context = contextOf({ ids, target, progress: (share) => shares.push(share) })
        const result = await method.run(context, defaults)
        expect(result.scores.dims).toEqual([ids.length])
        expect(result.scores.data.every(Number.isFinite)).toBe(true)
        const { values } = await model.ask({ feeds: context.feeds, read: [model.logits] })
        expect([...result.logits.data]).toEqual([...(values[model.logits]?.data ?? [])])
        expect(shares).toEqual([...shares].sort((a, b) => a - b))
        expect([Math.min(...shares) >= 0, shares.at(-1)]).toEqual([true, 1])
        if (!method.output.signed) expect(Math.min(...result.scores.data)).toBeGreaterThanOrEqual(0)
        expect(result.completeness === null).toBe(!method.output.complete)
        const sum = result.scores.data.reduce((total, score) => total + score, 0)
        if (result.completeness !== null) {
          expect(Math.abs(sum - result.completeness.sum)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(sum)))
          expect(Object.values(result.completeness).every(Number.isFinite)).toBe(true)
          const diagnosed = result.diagnoses.some(({ code }) => code === 'COMPLETENESS')
          expect(diagnosed).toBe(result.completeness.error > 0.01)
        }
      }
    },
  )

  test('the same question gives the same bytes, and the feeds stay as they were', async () => {
    const context = contextOf()
    const before = structuredClone(context.feeds)
    const [one, two] = [await method.run(context, defaults), await method.run(context, defaults)]
    expect(one).toEqual(two)
    expect(context.feeds).toEqual(before)
  })

  test('a saturated softmax is said, and no warning without a reason', async () => {
    if (world.certain !== null) {
      const saturated = await method.run(contextOf(world.certain), defaults)
      expect(saturated.diagnoses.map(({ code }) => code)).toContain('SOFTMAX_SATURATED')
    }
    const plain = await method.run(contextOf(), defaults)
    const expected = method.needs[0]?.place === 'attention' ? ['CLASSIFYING_TOKEN'] : []
    expect(plain.diagnoses.map(({ code }) => code)).toEqual(expected)
  })

  test('seeds decide what is random, and nothing else', async () => {
    const [one, again, other] = [
      await method.run(contextOf({ seed: 5 }), defaults),
      await method.run(contextOf({ seed: 5 }), defaults),
      await method.run(contextOf({ seed: 6 }), defaults),
    ]
    expect(again).toEqual(one)
    if (!SEEDED.includes(method.id)) expect(other).toEqual(one)
    else expect(other.scores).not.toEqual(one.scores)
  })

  // Only the formulas have a class that no word changes, and tell no place from another.
  if (world.certain !== null) {
    test('a class that nothing changes scores zero everywhere', async () => {
      const { scores } = await method.run(contextOf({ target: 2 }), defaults)
      for (const score of scores.data) expect(Math.abs(score)).toBeLessThan(1e-6)
    })
    if (!SEEDED.includes(method.id))
      test('the same word twice has the same score', async () => {
        for (const target of [0, 1]) {
          const { scores } = await method.run(contextOf({ target }), defaults) // [CLS] 7 12 7 3 [SEP]
          expect(Math.abs((scores.data[1] ?? NaN) - (scores.data[3] ?? NaN))).toBeLessThan(1e-4)
        }
      })
  }

  test('the predicted class costs no question of its own, and has the same scores', async () => {
    const ask = vi.spyOn(model, 'ask')
    const predicted = await method.run(contextOf({ target: null }), defaults)
    const free = ask.mock.calls.length
    const named = await method.run(contextOf({ target: predictedClass(predicted.logits.data) }), defaults)
    expect(predicted).toEqual(named)
    expect(ask.mock.calls.length).toBe(2 * free)
  })

  test('a cancelled run does not start', async () => {
    const ask = vi.spyOn(model, 'ask')
    const run = method.run(contextOf({ signal: AbortSignal.abort() }), defaults)
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(ask).not.toHaveBeenCalled()
  })

  test('a class that the model has not', async () => {
    await expect(method.run(contextOf({ target: 3 }), defaults)).rejects.toMatchObject({ code: 'UNKNOWN_LABEL' })
  })
}
