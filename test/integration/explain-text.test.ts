/** A review from question to history, with the real model in a real worker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sliceCodePoints } from '../../lib/text/limits.ts'
import { EXPLAIN, textInput, type Explained } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

interface Span {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly score: number
  readonly special: boolean
}
interface TextRun {
  readonly id: string
  readonly status: string
  readonly target: { readonly label: string; readonly logit: number }
  readonly attribution: {
    readonly tokens: readonly Span[]
    readonly words: readonly Span[]
    readonly completeness: { readonly error: number; readonly points: number } | null
  }
}

const TEXT = 'Ein “café” 🎬: what a wonderful, heart-warming film — not boring at all! 😀'

describe('a review', () => {
  let server: TestServer
  const explain = async (input: Record<string, unknown>): Promise<TextRun> =>
    (
      await server.data<{ explain: TextRun }>(
        `mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 120000) {
          id status target { label logit }
          attribution { ... on TextAttribution {
            tokens { text start end score special } words { text start end score special }
            completeness { sum expected error points } } } } }`,
        { input },
      )
    ).explain

  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.remove())

  it.each(['gradient-norm', 'input-x-gradient', 'integrated-gradients'])('is explained by %s', async (method) => {
    const run = await explain(textInput(TEXT, { method }))
    expect(run).toMatchObject({ status: 'DONE', target: { label: 'positive' } })
    const { tokens, words, completeness } = run.attribution
    for (const span of [...tokens, ...words]) {
      expect(Number.isFinite(span.score)).toBe(true)
      if (!span.special) expect(span.end).toBeGreaterThan(span.start)
    }
    // Offsets are code points, as Python counts them.
    for (const word of words.filter(({ special }) => !special))
      expect(sliceCodePoints(TEXT, word.start, word.end)).toBe(word.text)
    expect(words.map(({ text }) => text)).toContain('wonderful')
    if (method === 'integrated-gradients') expect(completeness?.error).toBeLessThanOrEqual(0.01)
  })

  it('asked about twice is one run, and about another class another one', async () => {
    const one = await explain(textInput(TEXT))
    const same = await explain(textInput(TEXT, { params: {}, seed: 0, target: null }))
    expect(same.id).toBe(one.id)
    const other = await explain(textInput(TEXT, { target: { label: 'negative' } }))
    expect(other.id).not.toBe(one.id)
    expect(other.target.label).toBe('negative')
    const byIndex = await explain(textInput(TEXT, { target: { index: 0 } }))
    expect(byIndex.id).toBe(other.id)
  })

  it('asked about by many at once is one run', async () => {
    const before = (await server.rows())['run'] ?? 0
    const asked = await Promise.all(
      Array.from({ length: 8 }, () => server.data<Explained>(EXPLAIN, { input: textInput('All at once.') })),
    )
    expect(new Set(asked.map(({ explain: { id } }) => id)).size).toBe(1)
    expect((await server.rows())['run']).toBe(before + 1)
  })

  it('is in the history, newest first, page by page', async () => {
    const page = (after: string | null) =>
      server.data<{
        runs: {
          totalCount: number
          pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string }
          edges: { node: { id: string; text: string; model: { title: string }; target: { label: string } } }[]
        }
      }>(
        `query ($after: String) { runs(first: 2, after: $after, modality: TEXT) {
          totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
          edges { node { id text model { title } target { label } } } } }`,
        { after },
      )
    const ids: string[] = []
    let after: string | null = null
    let total = 0
    for (;;) {
      const { runs }: Awaited<ReturnType<typeof page>> = await page(after)
      expect(runs.pageInfo.hasPreviousPage).toBe(after !== null)
      total = runs.totalCount
      ids.push(...runs.edges.map(({ node }) => node.id))
      if (!runs.pageInfo.hasNextPage) break
      after = runs.pageInfo.endCursor
    }
    expect(ids).toHaveLength(total)
    expect(new Set(ids).size).toBe(total)
    const stored = await server.parts.prisma.run.findMany({ orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] })
    expect(ids).toEqual(stored.map(({ id }) => id))
  })

  it('is found by its words, method and status', async () => {
    const count = async (filter: string) =>
      (await server.data<{ runs: { totalCount: number } }>(`{ runs(${filter}) { totalCount } }`)).runs.totalCount
    expect(await count('search: "at once"')).toBe(1)
    expect(await count('search: "100%_nowhere"')).toBe(0)
    // They stand for themselves, not for other characters.
    for (const wildcard of ['%', '_', 'at_once', 'at%once', 'b%g!'])
      expect(await count(`search: "${wildcard}"`)).toBe(0)
    expect(await count('method: "integrated-gradients"')).toBe(1)
    expect(await count('status: FAILED')).toBe(0)
    expect(await count('modality: IMAGE')).toBe(0)
    expect(await count('model: "pets-cnn"')).toBe(0)
    const bad = await server.graphql('{ runs(first: 101) { totalCount } }')
    expect(bad.errors?.[0]?.extensions.code).toBe('BAD_INPUT')
    const foreign = await server.graphql('{ runs(after: "abc") { totalCount } }')
    expect(foreign.errors?.[0]?.extensions.code).toBe('BAD_INPUT')
  })

  it('is explained as another number of the model: stored, told in words, and with its value', async () => {
    interface Told {
      readonly explained: { readonly kind: string; readonly title: string; readonly value: number }
      readonly predictions: readonly { label: string; logit: number; probability: number }[]
      readonly attribution: { readonly completeness: { readonly sum: number; readonly error: number } }
    }
    const told = async (target: object | null): Promise<Told & { id: string }> =>
      (
        await server.data<{ explain: Told & { id: string } }>(
          `mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 120000) {
            id explained { kind title value } predictions { label logit probability }
            attribution { ... on TextAttribution { completeness { sum error } } } } }`,
          { input: textInput(TEXT, { method: 'integrated-gradients', target }) },
        )
      ).explain
    const logit = await told(null)
    const [first, second] = logit.predictions
    expect(first).toBeDefined()
    if (first === undefined || second === undefined) return
    expect(logit.explained.title).toBe('the logit of positive')
    expect(logit.explained.value).toBe(first.logit)

    const probability = await told({ kind: 'PROBABILITY', label: 'positive' })
    expect(probability.explained).toMatchObject({ kind: 'PROBABILITY', title: 'the probability of positive' })
    expect(probability.explained.value).toBeCloseTo(first.probability, 12)

    const margin = await told({ kind: 'MARGIN', against: { label: second.label } })
    expect(margin.explained.title).toBe('the logit of positive less that of negative')
    expect(margin.explained.value).toBeCloseTo(first.logit - second.logit, 12)
    // The scores add up to what changed in that number, not in the logit.
    expect(margin.attribution.completeness.error).toBeLessThan(0.01)
    expect(Math.abs(margin.attribution.completeness.sum)).toBeGreaterThan(
      1.2 * Math.abs(logit.attribution.completeness.sum),
    )

    expect(new Set([logit.id, probability.id, margin.id]).size).toBe(3)
    expect((await told({ kind: 'MARGIN', against: { label: second.label } })).id).toBe(margin.id)
    expect((await told({ kind: 'LOGIT' })).id).toBe(logit.id)
  })

  it.each([
    [{ kind: 'COSINE', embedding: [1, 2, 3] }, 'BAD_PARAMETER', /3 numbers, and the model answers 2/],
    [{ kind: 'SUM', label: 'positive' }, 'BAD_INPUT', /was given label/],
  ])('%j is refused before anything is stored', async (target, code, message) => {
    const before = await server.rows()
    const { errors } = await server.graphql(EXPLAIN, { input: textInput('Never stored.', { target }) })
    expect(errors?.[0]?.extensions).toMatchObject({ code })
    expect(errors?.[0]?.message).toMatch(message)
    expect(await server.rows()).toEqual(before)
  })
})

describe('models and methods', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.remove())

  it('describe themselves', async () => {
    const { models } = await server.data<{
      models: {
        id: string
        defaultTap: string
        taps: { id: string }[]
        methods: { available: boolean; method: { id: string } }[]
      }[]
    }>(
      '{ models { id defaultTap taps { id spatial differentiable } engine { name } methods { available reason method { id } } } }',
    )
    expect(models.map(({ id }) => id)).toEqual(['efficientnet-lite0', 'pets-cnn', 'pets-cnn-tfjs', 'reviews-minilm'])
    for (const model of models) {
      expect(model.taps.map(({ id }) => id)).toContain(model.defaultTap)
      expect(model.methods.filter(({ available }) => available).length).toBeGreaterThan(1)
    }
  })

  it('give a form for every parameter', async () => {
    const { methods } = await server.data<{
      methods: { id: string; paramsSchema: { type: string; properties: Record<string, Record<string, unknown>> } }[]
    }>('{ methods { id paramsSchema } }')
    expect(methods.length).toBeGreaterThanOrEqual(5)
    for (const { id, paramsSchema } of methods) {
      expect(paramsSchema.type, id).toBe('object')
      for (const [name, field] of Object.entries(paramsSchema.properties))
        expect(Object.keys(field), `${id}.${name}`).toEqual(expect.arrayContaining(['title', 'description']))
    }
    const text = await server.data<{ methods: { id: string }[] }>('{ methods(modality: TEXT) { id } }')
    expect(text.methods.map(({ id }) => id)).not.toContain('grad-cam')
  })
})
