/**
 * A metric and a generator added from the outside, on the bundled review model: each is one object, and one line in its list.
 * Right by the model asked text by text, through tokens made anew.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { evaluate } from '../../../lib/evaluate.ts'
import { explain } from '../../../lib/explain.ts'
import type { Generator, TextGenerator } from '../../../lib/generators/generator.ts'
import type { TextContext, TokenGroup } from '../../../lib/methods/context.ts'
import type { NeedsPlace } from '../../../lib/methods/need.ts'
import { methodFor } from '../../../lib/methods/find.ts'
import { parseParams } from '../../../lib/methods/parse-params.ts'
import { answered } from '../../../lib/methods/shared/batches.ts'
import { occlusion } from '../../../lib/methods/text/occlusion.ts'
import { METRICS } from '../../../lib/metrics/index.ts'
import { textMetric, type Metric } from '../../../lib/metrics/metric.ts'
import { listModels } from '../../../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../../../lib/models/load.ts'
import { prepareText, type RunParts } from '../../../lib/prepare.ts'
import { scalarOf } from '../../../lib/target/scalar.ts'
import type { Target } from '../../../lib/target/target.ts'
import { float32, row, type FloatTensor } from '../../../lib/tensor/tensor.ts'

/** Of texts given as token ids, the target's scalar each. */
async function scalarsOf(context: TextContext, rows: readonly (readonly number[])[]): Promise<readonly number[]> {
  const { model, head, target, signal } = context
  const { values } = await model.ask({ feeds: context.feedsFor(rows).feeds, read: [head.logits] }, signal)
  return rows.map((_, at) => scalarOf(target, row(answered(values, head.logits), at).data, head.link))
}

const without = (ids: readonly number[], gone: TokenGroup): number[] => ids.filter((_, token) => !gone.includes(token))

const metricParams = z.strictObject({ words: z.int().min(1).max(20).default(2) })
/** Comprehensiveness (DeYoung et al. 2020, 1911.03429): by how much the target falls without the words that count most. */
const comprehensiveness = textMetric<z.infer<typeof metricParams>>({
  id: 'toy-comprehensiveness',
  version: 1,
  modality: 'text',
  family: 'faithfulness',
  title: 'Comprehensiveness',
  summary: 'By how much the target falls when the words that count most are deleted.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [],
  params: metricParams,
  better: 'higher',
  needsAnnotation: false,
  cost: () => 2,
  async run(context, { words }) {
    const { data } = context.attribution
    const scored = context
      .words()
      .map((tokens) => ({ tokens, score: tokens.reduce((sum, at) => sum + (data[at] ?? 0), 0) }))
    const gone = scored.sort((a, b) => b.score - a.score).slice(0, words)
    const { tokenIds } = context
    const rest = without(
      tokenIds,
      gone.flatMap(({ tokens }) => tokens),
    )
    const [whole = NaN, left = NaN] = await scalarsOf(context, [tokenIds, rest])
    return { value: whole - left, interval: null, curve: null, diagnoses: [] }
  },
})

const generatorParams = z.strictObject({ most: z.int().min(1).max(100).default(3) })
/** Neighbours of a text: each without one word, those first by which the target falls furthest. */
const leaveOneOut: TextGenerator<z.infer<typeof generatorParams>> = {
  id: 'toy-leave-one-out',
  version: 1,
  modality: 'text',
  title: 'Leave one out',
  summary: 'The text without one of its words.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [],
  params: generatorParams,
  cost: (_params, { tokens }) => tokens,
  async run(context, { most }) {
    const words = context.words()
    const scalars = await scalarsOf(
      context,
      words.map((tokens) => without(context.tokenIds, tokens)),
    )
    const characters = [...context.text]
    return words
      .map((tokens, at) => ({ places: tokens.map((token) => context.tokens[token]), scalar: scalars[at] ?? NaN }))
      .sort((a, b) => a.scalar - b.scalar)
      .slice(0, most)
      .map(({ places }) =>
        [...characters.slice(0, places[0]?.start), ...characters.slice(places.at(-1)?.end)]
          .join('')
          .replaceAll(/ +(?=[ ,.])/g, '')
          .trim(),
      )
  },
}

const REVIEW = 'A wonderful film, and beautifully acted.'
const TARGET: Target = { kind: 'probability', index: 1 }
const parts = (): RunParts => ({
  target: TARGET,
  seed: 0,
  signal: new AbortController().signal,
  progress: () => undefined,
})
let loaded: LoadedModel

beforeAll(async () => {
  const entry = (await listModels(join(import.meta.dirname, '../../../models'))).find(
    ({ id }) => id === 'reviews-minilm',
  )
  if (entry === undefined) throw new Error('models/reviews-minilm is missing')
  loaded = await loadModel(entry)
})
afterAll(() => loaded.model.dispose())

async function contextOf(text: string, of: NeedsPlace, params: unknown = {}): Promise<TextContext> {
  const { preprocessing } = loaded.entry.card
  if (preprocessing.kind !== 'text') throw new Error('reviews-minilm reads texts')
  return (await prepareText(loaded, text, preprocessing, { of, params }, parts())).context
}

/** The probability that a text is positive, through the model's whole path. */
async function positive(text: string): Promise<number> {
  const context = await contextOf(text, comprehensiveness)
  return (await scalarsOf(context, [context.tokenIds]))[0] ?? NaN
}

describe('a metric from the outside', () => {
  const metrics: readonly Metric[] = [...METRICS, comprehensiveness]
  const judge = async (attribution: FloatTensor, params: unknown): Promise<{ readonly value: number }> => {
    const metric = methodFor(metrics, 'text', 'toy-comprehensiveness')
    if (metric === null) throw new Error('the metric is not in its list')
    const { value } = await evaluate(
      loaded,
      { kind: 'text', text: REVIEW },
      { metric, params, attribution, by: { method: occlusion, params: {} }, ...parts() },
    )
    if (value === null) throw new Error('a value was expected')
    return { value }
  }
  /** 1 for the tokens of these words. */
  const marking = async (...marked: readonly string[]): Promise<FloatTensor> => {
    const { tokens } = await contextOf(REVIEW, comprehensiveness)
    const spans = marked.map((word) => ({ start: REVIEW.indexOf(word), end: REVIEW.indexOf(word) + word.length }))
    return float32(
      tokens.map((token) => (spans.some(({ start, end }) => start <= token.start && token.end <= end) ? 1 : 0)),
      [tokens.length],
    )
  }

  test('is found by modality and id, among metrics of other ids', () => {
    expect(methodFor(metrics, 'image', 'toy-comprehensiveness')).toBeNull()
    for (const modality of ['image', 'text'] as const) {
      const ids = metrics.filter((metric) => metric.modality === modality).map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })

  test('judges what it is given: the fall of the probability without the marked words', async () => {
    const { value } = await judge(await marking('wonderful', 'beautifully'), {})
    expect(value).toBeCloseTo((await positive(REVIEW)) - (await positive('A film, and acted.')), 5)
    expect(value).toBeGreaterThan((await judge(await marking('A', 'and'), {})).value + 0.01)
  })

  test("judges a method's result, with the metric's own parameters", async () => {
    const asked = { method: occlusion, params: {}, ...parts() }
    const { attribution } = await explain(loaded, { kind: 'text', text: REVIEW }, asked, { ...parts(), now: () => 0 })
    if (attribution.kind !== 'text') throw new Error('scores were expected')
    const scores = float32(
      attribution.tokens.map(({ score }) => score),
      [attribution.tokens.length],
    )
    const [one, two] = [await judge(scores, { words: 1 }), await judge(scores, { words: 2 })]
    expect(one.value).toBeGreaterThan(0)
    expect(two.value).toBeGreaterThan(one.value)
    await expect(judge(scores, { words: 0 })).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
    await expect(judge(scores, { word: 2 })).rejects.toMatchObject({ code: 'BAD_PARAMETER' })
  })
})

test('a generator from the outside makes texts as a person would type them, most different first', async () => {
  const generators: readonly Generator[] = [leaveOneOut]
  const generator = methodFor(generators, 'text', 'toy-leave-one-out')
  if (generator?.modality !== 'text') throw new Error('the generator is not in its list')
  const params = parseParams(generator, { most: 4 })
  const texts = await generator.run(await contextOf(REVIEW, generator, params), params)

  const every = [
    'wonderful film, and beautifully acted.',
    'A film, and beautifully acted.',
    'A wonderful, and beautifully acted.',
    'A wonderful film and beautifully acted.',
    'A wonderful film, beautifully acted.',
    'A wonderful film, and acted.',
    'A wonderful film, and beautifully.',
    'A wonderful film, and beautifully acted',
  ]
  const ranked: { readonly text: string; readonly scalar: number }[] = []
  for (const text of every) ranked.push({ text, scalar: await positive(text) })
  ranked.sort((a, b) => a.scalar - b.scalar)
  expect(texts).toEqual(ranked.slice(0, 4).map(({ text }) => text))
  expect(() => parseParams(generator, { most: 0 })).toThrow(/most/)
})
