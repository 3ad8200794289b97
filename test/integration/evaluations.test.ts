/** What metrics say of a run, through everything: asked over GraphQL, computed in a worker, stored with its run, shared, deleted. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchEvaluation } from '../../server/services/watch-evaluation.ts'
import { encoded } from '../helpers/images.ts'
import { EXPLAIN, textInput, type Explained } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

interface Curve {
  readonly share: number[]
  readonly value: number[]
}
interface Answered {
  readonly id: string
  readonly status: string
  readonly progress: number
  readonly error: { readonly code: string; readonly message: string } | null
  readonly metric: { readonly id: string; readonly better: string }
  readonly params: object
  readonly value: number | null
  readonly curve: Curve | null
  readonly controls: readonly {
    readonly id: string
    readonly value: number
    readonly interval: { readonly low: number; readonly high: number } | null
    readonly samples: number
    readonly curve: Curve | null
  }[]
  readonly annotation: unknown
}

const CURVE = 'curve { share value }'
const EVALUATION = `id status progress error { code message } metric { id better } params value ${CURVE}
  controls { id value interval { low high } samples ${CURVE} } annotation`
const EVALUATE = `mutation ($id: ID!, $metrics: [MetricInput!]!, $seed: Int, $annotation: MarksInput, $waitMs: Int = 300000) {
  evaluate(runId: $id, metrics: $metrics, seed: $seed, randomControls: 3, annotation: $annotation, waitMs: $waitMs) { ${EVALUATION} }
}`

let server: TestServer
let picture: string
let review: string
beforeAll(async () => {
  server = await startTestServer()
  const image = { base64: (await encoded('jpeg')).toString('base64') }
  const explain = async (input: object) => (await server.data<Explained>(EXPLAIN, { input })).explain.id
  picture = await explain({ model: 'pets-cnn', method: 'grad-cam', image })
  review = await explain(textInput('A wonderful film, and beautifully acted.'))
})
afterAll(() => server.remove())

const evaluate = async (variables: Record<string, unknown>): Promise<readonly Answered[]> =>
  (await server.data<{ evaluate: Answered[] }>(EVALUATE, variables)).evaluate
const refusal = async (variables: Record<string, unknown>) => (await server.graphql(EVALUATE, variables)).errors?.[0]

describe('metrics', () => {
  it('are offered with their forms, and where they can be asked', async () => {
    const { metrics, model } = await server.data<{
      metrics: { id: string; modality: string; family: string; paramsSchema: { properties: object } }[]
      model: { metrics: { available: boolean; reason: string | null; metric: { id: string } }[] }
    }>(`{ metrics(modality: IMAGE) { id modality family title summary meaning misleads better needsAnnotation paper { url } paramsSchema }
          model(id: "reviews-minilm") { metrics { available reason metric { id } } } }`)
    expect(metrics.every(({ modality }) => modality === 'IMAGE')).toBe(true)
    const deletion = metrics.find(({ id }) => id === 'deletion')
    expect(deletion).toMatchObject({
      family: 'FAITHFULNESS',
      better: 'LOWER',
      paramsSchema: { properties: { steps: { title: 'Steps', default: 28, minimum: 2 } } },
    })
    expect(model.metrics.find(({ metric }) => metric.id === 'comprehensiveness')).toMatchObject({
      available: true,
      reason: null,
    })
  })
})

describe('an evaluation', () => {
  it('of a picture has its curve, and beside it what edges, chance and nothing reach', async () => {
    const [deletion] = await evaluate({ id: picture, metrics: [{ id: 'deletion', params: { steps: 4 } }] })
    expect(deletion).toMatchObject({
      status: 'DONE',
      progress: 1,
      error: null,
      metric: { id: 'deletion', better: 'LOWER' },
      params: { steps: 4, dialect: 'rise' },
      curve: { share: [0, 0.25, 0.5, 0.75, 1] },
    })
    const { value, curve, controls } = deletion as Answered
    const points = curve?.value ?? []
    const area = points.slice(1).reduce((sum, one, at) => sum + (one + (points[at] ?? NaN)) / 8, 0)
    expect(value).toBeCloseTo(area, 12)
    expect(controls.map(({ id, samples }) => [id, samples])).toEqual([
      ['random', 3],
      ['uniform', 1],
      ['edges', 1],
    ])
    for (const control of controls) {
      expect(control.curve?.share).toEqual([0, 0.25, 0.5, 0.75, 1])
      // Nothing is gone at first, and everything in the end, whatever the order.
      expect(control.curve?.value[0]).toBeCloseTo(points[0] ?? NaN, 5)
      expect(control.curve?.value[4]).toBeCloseTo(points[4] ?? NaN, 5)
    }
    const [random] = controls
    expect(random?.interval?.low).toBeLessThan(random?.value ?? NaN)
    expect(random?.interval?.high).toBeGreaterThan(random?.value ?? NaN)
  })

  it('of a text, several at once; the same question is the stored one', async () => {
    const metrics = [{ id: 'comprehensiveness' }, { id: 'sufficiency', params: { dialect: 'ferret' } }]
    const asked = await evaluate({ id: review, metrics })
    expect(asked.map(({ metric, status }) => [metric.id, status])).toEqual([
      ['comprehensiveness', 'DONE'],
      ['sufficiency', 'DONE'],
    ])
    expect(asked[0]?.controls.map(({ id }) => id)).toEqual(['random', 'uniform'])
    expect(await evaluate({ id: review, metrics, waitMs: 0 })).toEqual(asked)
    const [other] = await evaluate({ id: review, metrics: [{ id: 'comprehensiveness' }], seed: 1 })
    expect(other?.id).not.toBe(asked[0]?.id)
    expect(other?.value).toBe(asked[0]?.value)
    expect(other?.controls[0]?.value).not.toBe(asked[0]?.controls[0]?.value)
  })

  it('is told of while it is computed, and stops when it is cancelled; asked again it is computed', async () => {
    const long = { id: picture, metrics: [{ id: 'deletion', params: { steps: 1000 } }], waitMs: 0 }
    const [queued] = await evaluate(long)
    const id = queued?.id ?? ''
    const cancel = () =>
      server.data<{ cancelEvaluation: Answered }>(
        `mutation ($id: ID!) { cancelEvaluation(id: $id) { ${EVALUATION} } }`,
        { id },
      )
    let seen = 0
    for await (const { status } of watchEvaluation(server.parts, id)) {
      seen = (await server.parts.news.progress([id])).get(id) ?? 0
      if (status === 'RUNNING' && seen > 0) break
    }
    expect(seen).toBeLessThan(1)
    expect((await cancel()).cancelEvaluation).toMatchObject({ id, status: 'CANCELLED', value: null, controls: [] })
    const [again] = await evaluate(long)
    expect(again).toMatchObject({ id, error: null })
    expect(again?.status).toMatch(/QUEUED|RUNNING/)
    await cancel()
  })

  it('that was being computed when the server ended is computed by the next one, and given up after the second time', async () => {
    const own = await startTestServer()
    const { explain } = await own.data<Explained>(EXPLAIN, { input: textInput('A fine film.') })
    const asked = { id: explain.id, metrics: [{ id: 'comprehensiveness' }, { id: 'sufficiency' }] }
    const { evaluate: first } = await own.data<{ evaluate: Answered[] }>(EVALUATE, asked)
    const [lost, twice] = first
    const { evaluation } = own.parts.prisma
    const running = { status: 'RUNNING', result: null }
    await evaluation.update({ where: { id: lost?.id ?? '' }, data: { ...running, attempts: 1 } })
    await evaluation.update({ where: { id: twice?.id ?? '' }, data: { ...running, attempts: 2 } })
    await own.stop()
    const next = await startTestServer({ dataFolder: own.folder })
    const { run } = await next.data<{ run: { evaluations: Answered[] } }>(
      `query ($id: ID!) { run(id: $id) { evaluations { ${EVALUATION} } } }`,
      { id: explain.id },
    )
    expect(run.evaluations.find(({ id }) => id === twice?.id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'WORKER_LOST' },
    })
    const { evaluate: after } = await next.data<{ evaluate: Answered[] }>(EVALUATE, asked)
    expect(after).toEqual(first)
    await next.remove()
  })

  it('compares with what the run is annotated with, or with what is given', async () => {
    const metrics = [{ id: 'auprc' }, { id: 'token-f1' }]
    expect(await refusal({ id: review, metrics })).toMatchObject({
      extensions: { code: 'BAD_INPUT' },
      message: expect.stringContaining('nothing is marked on this run') as string,
    })
    const spans = [{ start: 2, end: 11 }]
    const given = await evaluate({ id: review, metrics, annotation: { spans } })
    expect(given.map(({ status, annotation }) => [status, annotation])).toEqual([
      ['DONE', { kind: 'spans', spans }],
      ['DONE', { kind: 'spans', spans }],
    ])
    for (const { value } of given) {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(1)
    }
    await server.data('mutation ($id: ID!, $a: AnnotationInput!) { annotate(runId: $id, annotation: $a) { id } }', {
      id: review,
      a: { note: '', span: spans[0] },
    })
    // The same mark, wherever it comes from, is the same question.
    expect((await evaluate({ id: review, metrics })).map(({ id }) => id)).toEqual(given.map(({ id }) => id))
    const boxes = [{ x: 0, y: 0, width: 1, height: 1 }]
    const [inside] = await evaluate({ id: picture, metrics: [{ id: 'energy-inside' }], annotation: { boxes } })
    expect(inside).toMatchObject({ status: 'DONE', controls: [{ id: 'random' }, { id: 'uniform' }, { id: 'edges' }] })
    expect(inside?.value).toBeCloseTo(1, 12)
    expect(await refusal({ id: picture, metrics: [{ id: 'energy-inside' }], annotation: { spans } })).toMatchObject({
      extensions: { code: 'BAD_INPUT' },
      message: expect.stringContaining('explains a picture') as string,
    })
  })

  it('of a run with several maps judges the first, at its own layer', async () => {
    const image = { base64: (await encoded('jpeg')).toString('base64') }
    const input = { model: 'pets-cnn', method: 'grad-cam', image, layers: ['conv_pw_6_relu', 'conv_pw_12_relu'] }
    const { explain } = await server.data<Explained>(EXPLAIN, { input })
    const metrics = [{ id: 'max-sensitivity', params: { samples: 1, radius: 0 } }]
    // A map of another layer would be another map.
    expect((await evaluate({ id: explain.id, metrics }))[0]).toMatchObject({ status: 'DONE', value: 0, error: null })
  })

  it('is refused, and nothing stored, where it cannot be', async () => {
    const before = (await server.rows())['evaluation']
    const codes = [
      [{ id: picture, metrics: [{ id: 'comprehensiveness' }] }, 'WRONG_MODALITY', 'deletion'],
      [{ id: picture, metrics: [{ id: 'deletoin' }] }, 'UNKNOWN_METHOD', 'Did you mean'],
      [{ id: picture, metrics: [{ id: 'deletion', params: { steps: 1 } }] }, 'BAD_PARAMETER', 'steps'],
      [{ id: picture, metrics: [] }, 'BAD_INPUT', '1 to 50'],
      [{ id: 'nothing', metrics: [{ id: 'deletion' }] }, 'NOT_FOUND', 'no run'],
      [{ id: picture, metrics: [{ id: 'deletion' }], seed: -1 }, 'BAD_INPUT', 'seed'],
    ] as const
    for (const [variables, code, message] of codes)
      expect(await refusal(variables)).toMatchObject({
        extensions: { code },
        message: expect.stringContaining(message) as string,
      })
    // The second one is wrong: the first is not stored either.
    await refusal({ id: picture, metrics: [{ id: 'deletion', params: { steps: 9 } }, { id: 'nothing' }] })
    expect((await server.rows())['evaluation']).toBe(before)
  })

  it('is shown by a link to its run, and ends with the run', async () => {
    const { shareRun } = await server.data<{ shareRun: { url: string } }>(
      'mutation ($id: ID!) { shareRun(runId: $id) { url } }',
      { id: picture },
    )
    const token = shareRun.url.slice(shareRun.url.lastIndexOf('/') + 1)
    const own = await server.data<{ run: { evaluations: Answered[] } }>(
      `query ($id: ID!) { run(id: $id) { evaluations { ${EVALUATION} } } }`,
      { id: picture },
    )
    expect(own.run.evaluations.length).toBeGreaterThan(0)
    const seen = await server.data<{ sharedRun: { evaluations: Answered[] } }>(
      `query ($token: String!) { sharedRun(token: $token) { evaluations { ${EVALUATION} } } }`,
      { token },
    )
    expect(seen.sharedRun.evaluations).toEqual(own.run.evaluations)
    const left = (await server.rows())['evaluation'] ?? NaN
    await server.data('mutation ($id: ID!) { deleteRun(id: $id) }', { id: picture })
    expect((await server.rows())['evaluation']).toBe(left - own.run.evaluations.length)
  })
})
