/** Several methods on one input, through everything: asked over GraphQL, read together in a worker, stored as the runs they are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kendallTau, spearman } from '../../lib/metrics/shared/statistics.ts'
import { encoded } from '../helpers/images.ts'
import { EXPLAIN, type Explained } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { FLOAT32, relativeDifference } from '../helpers/tolerance.ts'

interface Comparison {
  readonly progress: number
  readonly rows: readonly {
    readonly run: { id: string; status: string; method: { id: string }; error: { code: string } | null }
    readonly evaluations: readonly {
      id: string
      status: string
      value: number | null
      metric: { id: string; better: string }
      error: { code: string; message: string } | null
    }[]
  }[]
  readonly correlations: readonly { first: string; second: string; signed: number; absolute: number; parts: number }[]
  readonly agreements: readonly { first: string; second: string; tau: number | null; methods: number }[]
  readonly sentences: readonly string[]
}

const COMPARISON = `progress sentences
  rows { run { id status error { code } method { id } } evaluations { id status value metric { id better } error { code message } } }
  correlations { first second signed absolute parts } agreements { first second tau methods }`
const COMPARE = `mutation ($input: CompareInput!, $waitMs: Int = 300000) { compare(input: $input, waitMs: $waitMs) { ${COMPARISON} } }`
const ASK_AGAIN = `query ($ids: [ID!]!) { comparison(runIds: $ids) { ${COMPARISON} } }`
const CANCEL = `mutation ($ids: [ID!]!) { cancelComparison(runIds: $ids) { ${COMPARISON} } }`

const CAMS = ['grad-cam', 'grad-cam-plus-plus', 'layer-cam', 'hires-cam', 'eigen-cam'].map((id) => ({ id }))
const TEXT = 'A dull plot, and yet a wonderful film: beautifully acted.'

let server: TestServer
let image: { readonly base64: string }
beforeAll(async () => {
  server = await startTestServer()
  image = { base64: (await encoded('jpeg')).toString('base64') }
  // Described now: a worker that is ended by force takes whoever it was describing a model for with it.
  await explain({ model: 'reviews-minilm', method: 'gradient-norm', text: 'A film.' })
})
afterAll(() => server.remove())

const compare = async (input: object, waitMs = 300_000): Promise<Comparison> =>
  (await server.data<{ compare: Comparison }>(COMPARE, { input, waitMs })).compare
const again = async (ids: readonly string[]): Promise<Comparison> =>
  (await server.data<{ comparison: Comparison }>(ASK_AGAIN, { ids })).comparison
const idsOf = ({ rows }: Comparison): string[] => rows.map(({ run }) => run.id)
const explain = async (input: object): Promise<string> => (await server.data<Explained>(EXPLAIN, { input })).explain.id
const MAP = `query ($id: ID!) { run(id: $id) { attribution {
  ... on ImageAttribution { values } ... on TextAttribution { tokens { score special } } } } }`
async function numbersOf(id: string): Promise<number[]> {
  interface Found {
    run: { attribution: { values?: number[]; tokens?: { score: number; special: boolean }[] } }
  }
  const { values, tokens = [] } = (await server.data<Found>(MAP, { id })).run.attribution
  return values ?? tokens.filter(({ special }) => !special).map(({ score }) => score)
}

describe('a comparison of a picture', () => {
  const methods = [...CAMS, { id: 'occlusion', params: { window: 64, stride: 64 } }]
  const metrics = [{ id: 'deletion', params: { steps: 4 } }, { id: 'insertion', params: { steps: 4 } }, { id: 'gini' }]
  const asked = () => ({ model: 'pets-cnn', image, methods, metrics, randomControls: 2, target: { index: 1 } })

  it('is a run a method with its evaluations, correlations between maps and what is to be said', async () => {
    const found = await compare(asked())
    expect(found.progress).toBe(1)
    expect(found.rows.map(({ run }) => [run.method.id, run.status])).toEqual(methods.map(({ id }) => [id, 'DONE']))
    for (const { evaluations } of found.rows)
      expect(evaluations.map(({ metric, status }) => [metric.id, status])).toEqual(
        metrics.map(({ id }) => [id, 'DONE']),
      )

    const pairs = (methods.length * (methods.length - 1)) / 2
    expect(found.correlations).toHaveLength(pairs)
    const [one, other] = idsOf(found)
    const ofCams = found.correlations.find(({ first, second }) => first === one && second === other)
    const [a, b] = [await numbersOf(one ?? ''), await numbersOf(other ?? '')]
    expect(ofCams).toMatchObject({ parts: a.length })
    expect(ofCams?.signed).toBeCloseTo(spearman(a, b) ?? NaN, 12)
    expect(ofCams?.absolute).toBeCloseTo(spearman(a.map(Math.abs), b.map(Math.abs)) ?? NaN, 12)

    const scores = (metric: string): number[] =>
      found.rows.map(({ evaluations }) => {
        const of = evaluations.find((one) => one.metric.id === metric)
        return (of?.metric.better === 'LOWER' ? -1 : 1) * (of?.value ?? NaN)
      })
    expect(found.agreements).toHaveLength(3)
    expect(found.agreements[0]).toEqual({
      first: 'Deletion',
      second: 'Insertion',
      tau: kendallTau(scores('deletion'), scores('insertion')),
      methods: methods.length,
    })
    const differ = found.agreements.some(({ tau }) => tau !== null && tau <= 0)
    expect(found.sentences.some((sentence) => sentence.includes(differ ? 'order the methods differently' : 'more alike'))).toBe(true) // prettier-ignore
    expect(await again(idsOf(found))).toEqual(found)
    expect(await compare(asked())).toEqual(found)
  })

  it('finds what each method finds alone to the last digits, as a run of its own; what reads nothing once is that run', async () => {
    const found = await compare(asked())
    for (const [at, { id, ...more }] of methods.entries()) {
      const alone = await explain({ model: 'pets-cnn', image, target: { index: 1 }, method: id, ...more })
      const together = idsOf(found)[at] ?? ''
      if (id === 'occlusion') expect(together).toBe(alone)
      else {
        expect(together, id).not.toBe(alone)
        expect(relativeDifference(await numbersOf(together), await numbersOf(alone)), id).toBeLessThan(FLOAT32)
      }
    }
  })

  it('keeps the runs that it had when another method joins', async () => {
    const known = idsOf(await compare(asked()))
    const more = await compare({ ...asked(), methods: [{ id: 'xgrad-cam' }, ...methods], metrics: [] })
    expect(idsOf(more).slice(1)).toEqual(known)
    expect(more.rows[0]?.run.status).toBe('DONE')
  })

  it('lets the others be where one fails or is stopped', async () => {
    const input = { ...asked(), seed: 5, methods: [...CAMS, { id: 'rise', params: { masks: 8000 } }] }
    const begun = await compare(input, 0)
    const stopped = begun.rows.at(-1)?.run.id ?? ''
    await server.data(`mutation ($id: ID!) { cancelRun(id: $id) { id } }`, { id: stopped })
    const found = await compare({ ...input, methods: CAMS })
    expect(found.rows.map(({ run }) => run.status)).toEqual(CAMS.map(() => 'DONE'))
    const all = await again(idsOf(begun))
    expect(all.rows.at(-1)?.run.status).toBe('CANCELLED')
    expect(all.correlations).toHaveLength(10)
  })

  it('is stopped as a whole', async () => {
    const input = { ...asked(), seed: 6, methods: [...CAMS, { id: 'rise', params: { masks: 8000 } }] }
    const ids = idsOf(await compare(input, 0))
    const { cancelComparison } = await server.data<{ cancelComparison: Comparison }>(CANCEL, { ids })
    expect(cancelComparison.progress).toBe(1)
    const left = cancelComparison.rows.flatMap(({ run, evaluations }) => [run.status, ...evaluations.map(({ status }) => status)]) // prettier-ignore
    expect(left.every((status) => status === 'CANCELLED' || status === 'DONE')).toBe(true)
    expect(cancelComparison.rows.at(-1)?.run.status).toBe('CANCELLED')
  })
})

describe('a comparison of a text', () => {
  const methods = ['gradient-norm', 'input-x-gradient', 'attn-lrp', 'occlusion'].map((id) => ({ id }))
  it('is over its tokens, without the special ones', async () => {
    const metrics = [{ id: 'comprehensiveness' }, { id: 'sufficiency' }]
    const found = await compare({ model: 'reviews-minilm', text: TEXT, methods, metrics, randomControls: 2 })
    expect(found.rows.map(({ run }) => run.status)).toEqual(methods.map(() => 'DONE'))
    const [first, second] = idsOf(found)
    const [a, b] = [await numbersOf(first ?? ''), await numbersOf(second ?? '')]
    expect(found.correlations[0]).toMatchObject({ first, second, parts: a.length })
    expect(found.correlations[0]?.signed).toBeCloseTo(spearman(a, b) ?? NaN, 12)
    expect(found.agreements).toHaveLength(1)
    expect(found.sentences.length).toBeGreaterThan(0)
  })

  it('waits for nothing that does not come: an evaluation whose run is stopped says so', async () => {
    const input = { model: 'reviews-minilm', text: `${TEXT} Twice.`, metrics: [{ id: 'gini' }] }
    const begun = await compare({ ...input, methods: [{ id: 'kernel-shap', params: { samples: 20_000 } }] }, 0)
    await server.data(`mutation ($id: ID!) { cancelRun(id: $id) { id } }`, { id: idsOf(begun)[0] })
    const ended = await compare({ ...input, methods: [{ id: 'gradient-norm' }] })
    expect(ended.rows[0]?.evaluations[0]?.status).toBe('DONE')
    const { rows } = await again(idsOf(begun))
    expect(rows[0]?.evaluations[0]).toMatchObject({ status: 'FAILED', error: { code: 'CONFLICT' } })
  })
})

describe('a comparison is refused', () => {
  const refusal = async (input: object) => (await server.graphql(COMPARE, { input })).errors?.[0]
  it.each([
    ['without a method', { methods: [] }, /1 to 40 methods, not 0/],
    ['with a method that there is not', { methods: [{ id: 'grad-cam' }, { id: 'grad-camm' }] }, /grad-camm/],
    ['with the same run twice', { methods: [{ id: 'grad-cam' }, { id: 'grad-cam' }] }, /grad-cam.*twice/],
    ['with a metric that there is not', { methods: CAMS, metrics: [{ id: 'delete' }] }, /delete/],
    ['with a metric that needs marks', { methods: CAMS, metrics: [{ id: 'pointing-game' }] }, /evaluate/],
  ])('%s, and nothing is stored', async (_what, more, message) => {
    const count = () => server.data(`{ runs { totalCount } }`)
    const before = await count()
    const error = await refusal({ model: 'pets-cnn', image, seed: 77, metrics: [], ...more })
    expect(error?.message).toMatch(message)
    expect(await count()).toEqual(before)
  })

  it('of runs about different things', async () => {
    const one = await explain({ model: 'reviews-minilm', method: 'gradient-norm', text: TEXT })
    const other = await explain({ model: 'reviews-minilm', method: 'gradient-norm', text: 'Another film.' })
    const asked = async (ids: string[]) => (await server.graphql(ASK_AGAIN, { ids })).errors?.[0]?.message
    expect(await asked([one, other])).toMatch(/one target of one input/)
    expect(await asked([one, one])).toMatch(/twice/)
    expect(await asked([one, 'nowhere'])).toMatch(/no run nowhere/)
    expect(await asked([])).toMatch(/1 to 40 runs/)
  })
})
