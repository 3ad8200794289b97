/** Several layers and targets in one run, over GraphQL, on the bundled models. */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { FLOAT32, relativeDifference } from '../helpers/tolerance.ts'

const DOG = new URL('../../public/samples/german-shepherd.jpg', import.meta.url)
const MAP = '... on ImageAttribution { width height values layer overlayUrl npyUrl }'
const TEXT = '... on TextAttribution { tokens { score } }'
const RUN = `id status mapCount error { code message } params explained { title value } attribution { ${MAP} ${TEXT} }
  diagnoses { code message } maps { layer target { label } explained { kind title value }
    attribution { ${MAP} ${TEXT} } diagnoses { code message } }`

interface Attribution {
  readonly width: number
  readonly values: readonly number[]
  readonly layer: string | null
  readonly overlayUrl: string
  readonly npyUrl: string
  readonly tokens: readonly { readonly score: number }[]
}
interface Run {
  readonly id: string
  readonly status: string
  readonly params: Record<string, unknown>
  readonly explained: { readonly title: string; readonly value: number }
  readonly attribution: Attribution
  readonly diagnoses: readonly unknown[]
  readonly maps: readonly {
    readonly layer: string | null
    readonly target: { readonly label: string } | null
    readonly explained: { readonly kind: string; readonly title: string; readonly value: number }
    readonly attribution: Attribution
    readonly diagnoses: readonly unknown[]
  }[]
}

describe('several maps in one run', () => {
  let server: TestServer
  let image: { readonly base64: string }
  const question = `mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 120000) { ${RUN} } }`
  const explain = async (input: Record<string, unknown>) =>
    (await server.data<{ explain: Run }>(question, { input })).explain
  const refused = async (input: Record<string, unknown>) => {
    const { errors } = await server.graphql(question, {
      input: { model: 'pets-cnn', method: 'grad-cam', image, ...input },
    })
    return `${errors?.[0]?.extensions.code ?? 'none'}: ${errors?.[0]?.message ?? ''}`
  }
  const get = (path: string) => fetch(`${server.url}${path}`)
  const maps = () => server.parts.prisma.runMap.count()

  beforeAll(async () => {
    server = await startTestServer()
    image = { base64: (await readFile(DOG)).toString('base64') }
  })
  afterAll(() => server.remove())

  const LAYERS = ['conv_pw_6_relu', 'conv_pw_12_relu']
  const TARGETS = [{ label: 'cat' }, { label: 'dog', kind: 'PROBABILITY' }]

  it('are those of single runs, by layer and then by target, each with its number and its addresses', async () => {
    const run = await explain({ model: 'pets-cnn', method: 'grad-cam', image, layers: LAYERS, targets: TARGETS })
    expect(run).toMatchObject({ status: 'DONE', mapCount: 4, error: null, params: { layer: 'conv_pw_6_relu' } })
    expect(run.maps.map(({ layer, explained, target }) => [layer, explained.title, target?.label])).toEqual([
      ['conv_pw_6_relu', 'the logit of cat', 'cat'],
      ['conv_pw_6_relu', 'the probability of dog', 'dog'],
      ['conv_pw_12_relu', 'the logit of cat', 'cat'],
      ['conv_pw_12_relu', 'the probability of dog', 'dog'],
    ])
    expect(run.attribution).toEqual(run.maps[0]?.attribution)
    for (const [at, map] of run.maps.entries()) {
      const target = TARGETS[at % 2]
      const alone = await explain({
        model: 'pets-cnn',
        method: 'grad-cam',
        image,
        target,
        params: { layer: map.layer },
      })
      expect(alone).toMatchObject({ mapCount: 1, maps: [{}] })
      // The graph that reads several layers sums in another order.
      expect(relativeDifference(map.attribution.values, alone.attribution.values)).toBeLessThan(FLOAT32)
      expect(map.explained.value).toBeCloseTo(alone.explained.value, 5)
      expect(map.diagnoses).toEqual(alone.diagnoses)

      const npy = Buffer.from(await (await get(map.attribution.npyUrl)).arrayBuffer())
      const { values } = map.attribution
      expect(values.map((_, cell) => npy.readFloatLE(npy.length - values.length * 4 + cell * 4))).toEqual(values)
    }
    const [one, , , four] = await Promise.all(
      run.maps.map(async ({ attribution }) => Buffer.from(await (await get(attribution.overlayUrl)).arrayBuffer())),
    )
    expect(one?.equals(four ?? Buffer.alloc(0))).toBe(false)
    const small = await get(`${run.maps[2]?.attribution.overlayUrl ?? ''}&view=heat&size=96`)
    const { width, height } = await sharp(await small.arrayBuffer()).metadata()
    expect(Math.max(width, height)).toBe(96)
    expect((await get(`/api/runs/${run.id}/overlay.png?map=4`)).status).toBe(404)
    expect((await get(`/api/runs/${run.id}/attribution.npy?map=-1`)).status).toBe(400)
  })

  it('are one run when they are asked for again, and gone with it', async () => {
    const asked = { model: 'pets-cnn', method: 'grad-cam', image, layers: LAYERS, targets: TARGETS }
    const run = await explain(asked)
    expect((await explain(asked)).id).toBe(run.id)
    expect((await explain({ ...asked, layers: [...LAYERS].reverse() })).id).not.toBe(run.id)
    const before = await maps()
    await server.data('mutation ($id: ID!) { deleteRun(id: $id) }', { id: run.id })
    expect(await maps()).toBe(before - 3)
  })

  it('of one layer and one target are the run that the parameters ask for', async () => {
    const plain = await explain({ model: 'pets-cnn', method: 'grad-cam', image, params: { layer: 'conv_pw_5_relu' } })
    const strip = await explain({
      model: 'pets-cnn',
      method: 'grad-cam',
      image,
      layers: ['conv_pw_5_relu'],
      targets: [{}],
    })
    expect(strip.id).toBe(plain.id)
  })

  it('of all layers are a strip in network order, to whoever has a link too', async () => {
    const run = await explain({
      model: 'pets-cnn',
      method: 'hires-cam',
      image,
      target: { label: 'dog' },
      allLayers: true,
    })
    const layers = run.maps.map(({ layer }) => layer)
    expect(layers).toHaveLength(25)
    expect(layers.slice(0, 3)).toEqual(['conv1_relu', 'conv_dw_1_relu', 'conv_pw_1_relu'])
    expect(layers.at(-1)).toBe('conv_pw_12_relu')
    const link = await server.data<{ shareRun: { url: string } }>(
      'mutation ($id: ID!) { shareRun(runId: $id) { url } }',
      {
        id: run.id,
      },
    )
    const token = link.shareRun.url.split('/').at(-1) ?? ''
    const { sharedRun } = await server.data<{ sharedRun: Run }>(
      `query ($token: String!) { sharedRun(token: $token) { ${RUN} } }`,
      { token },
    )
    expect(sharedRun.maps.map(({ layer }) => layer)).toEqual(layers)
    const url = sharedRun.maps[7]?.attribution.overlayUrl ?? ''
    expect(url).toBe(`/api/shared/${token}/overlay.png?map=7`)
    const [shared, own] = await Promise.all([get(url), get(`/api/runs/${run.id}/overlay.png?map=7`)])
    expect(Buffer.from(await shared.arrayBuffer()).equals(Buffer.from(await own.arrayBuffer()))).toBe(true)
  })

  it('are asked one by one of a method that does not read a gradient once', async () => {
    const ask = { model: 'pets-cnn', method: 'cam', image }
    const run = await explain({ ...ask, targets: [{ label: 'cat' }, { label: 'dog' }] })
    const [cat, dog] = await Promise.all(['cat', 'dog'].map((label) => explain({ ...ask, target: { label } })))
    expect(run.maps.map(({ attribution }) => attribution.values)).toEqual(
      [cat, dog].map((one) => one?.attribution.values),
    )
  })

  it('of a text are what speaks for each class', async () => {
    const ask = { model: 'reviews-minilm', method: 'input-x-gradient', text: 'A dull plot, saved by wonderful actors.' }
    const run = await explain({ ...ask, targets: [{ label: 'positive' }, { label: 'negative' }] })
    expect(run.maps.map(({ explained }) => explained.title)).toEqual(['the logit of positive', 'the logit of negative'])
    for (const map of run.maps) {
      const alone = await explain({ ...ask, target: { label: map.target?.label } })
      const scores = ({ tokens }: Attribution) => tokens.map(({ score }) => score)
      // Two rows are multiplied at once, which sums in another order.
      expect(relativeDifference(scores(map.attribution), scores(alone.attribution))).toBeLessThan(FLOAT32)
    }
  })

  it('are refused in a sentence where they cannot be', async () => {
    expect(await refused({ target: { label: 'cat' }, targets: [{ label: 'dog' }] })).toMatch(/^BAD_INPUT: .*not both/)
    expect(await refused({ layers: LAYERS, allLayers: true })).toMatch(/^BAD_INPUT: .*not both/)
    expect(await refused({ layers: LAYERS, params: { layer: 'conv1_relu' } })).toMatch(/^BAD_INPUT: .*not in both/)
    expect(await refused({ layers: [] })).toMatch(/^BAD_INPUT: layers is empty/)
    expect(await refused({ targets: [] })).toMatch(/^BAD_INPUT: targets is empty/)
    expect(await refused({ layers: ['conv1_relu', 'conv1_relu'] })).toMatch(/^BAD_INPUT: .*asked for twice/)
    expect(await refused({ targets: [{ label: 'cat' }, { index: 0 }] })).toMatch(/^BAD_INPUT: .*same as number 1/)
    expect(await refused({ layers: ['conv1_relu', 'nowhere'] })).toMatch(/^UNKNOWN_LAYER: .*"nowhere"/)
    expect(await refused({ method: 'rise', layers: LAYERS })).toMatch(/^METHOD_UNAVAILABLE: RISE .*asked at no layer/)
    expect(await refused({ method: 'gradient', layers: LAYERS })).toMatch(/^METHOD_UNAVAILABLE: .*it is not the input/)
    const words = { model: 'reviews-minilm', method: 'gradient-norm', image: null, text: 'A fine film.' }
    expect(await refused({ ...words, layers: ['logits'] })).toMatch(
      /^METHOD_UNAVAILABLE: .*it is no embedding of words/,
    )
    // 50,177 passes: one map is affordable, two are not.
    const costly = {
      method: 'occlusion',
      params: { window: 1, stride: 1 },
      targets: [{ label: 'cat' }, { label: 'dog' }],
    }
    expect(await refused(costly)).toMatch(/^BAD_PARAMETER: .*100354 passes/)
  })
})
