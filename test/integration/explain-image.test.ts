/** A photo from upload to overlay, as a script does it over HTTP. */
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readFile } from 'node:fs/promises'
import { animated, cmykJpeg, encoded, exifRotatedJpeg, quarters } from '../helpers/images.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

const DOG = new URL('../../public/samples/german-shepherd.jpg', import.meta.url)

const RUN = `id status progress error { code message } model { id } method { id version }
  image { id url width height originalWidth originalHeight format } text params seed
  target { index label logit probability } predictions { index label logit probability }
  attribution { ... on ImageAttribution {
    width height values signed layer placement { x y width height } overlayUrl npyUrl } }
  diagnoses { code severity message } timings { queuedMs loadMs preprocessMs computeMs totalMs }
  provenance createdAt finishedAt`

interface ImageRun {
  readonly id: string
  readonly status: string
  readonly image: { readonly id: string; readonly url: string; readonly width: number; readonly height: number }
  readonly target: { readonly label: string; readonly probability: number }
  readonly predictions: readonly { readonly label: string; readonly probability: number; readonly logit: number }[]
  readonly attribution: {
    readonly width: number
    readonly height: number
    readonly values: readonly number[]
    readonly layer: string
    readonly overlayUrl: string
    readonly npyUrl: string
  }
  readonly diagnoses: readonly { readonly code: string; readonly message: string }[]
  readonly provenance: Record<string, unknown>
}

describe('a photo', () => {
  let server: TestServer
  const explain = async (input: Record<string, unknown>): Promise<ImageRun> =>
    (
      await server.data<{ explain: ImageRun }>(
        `mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 120000) { ${RUN} } }`,
        { input },
      )
    ).explain
  const upload = async (bytes: Uint8Array, type = 'image/jpeg') => {
    const response = await fetch(`${server.url}/api/images`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(bytes),
    })
    expect(response.status).toBe(201)
    return (await response.json()) as { assetId: string; width: number; height: number }
  }
  const get = (path: string) => fetch(`${server.url}${path}`)

  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.remove())

  it('is uploaded, explained, drawn and downloaded', async () => {
    const bytes = await readFile(DOG)
    const { assetId, width, height } = await upload(bytes)
    const run = await explain({ model: 'pets-cnn', method: 'grad-cam', image: { assetId } })
    expect(run).toMatchObject({
      status: 'DONE',
      progress: 1,
      error: null,
      model: { id: 'pets-cnn' },
      method: { id: 'grad-cam' },
      image: { id: assetId, width, height, format: 'jpeg' },
      target: { label: 'dog' },
    })
    expect(run.predictions.map(({ label }) => label).sort()).toEqual(['cat', 'dog'])
    expect(run.predictions[0]?.probability).toBeGreaterThan(0.5)
    expect(run.attribution.values).toHaveLength(run.attribution.width * run.attribution.height)
    expect(run.attribution).toMatchObject({ width: 14, height: 14, layer: 'conv_pw_12_relu' })
    expect(run.provenance).toMatchObject({
      engine: { name: 'onnx' },
      libraries: { sharp: expect.stringMatching(/^\d/) },
    })

    const shown = await get(run.image.url)
    expect(shown.headers.get('content-type')).toBe('image/jpeg')
    expect(shown.headers.get('cache-control')).toContain('immutable')
    expect(await sharp(await shown.arrayBuffer()).metadata()).toMatchObject({ width, height })

    const overlay = await get(`${run.attribution.overlayUrl}?colormap=inferno&opacity=0.4`)
    expect(overlay.headers.get('content-type')).toBe('image/png')
    expect(await sharp(await overlay.arrayBuffer()).metadata()).toMatchObject({ width, height, channels: 3 })
    const heat = await get(`${run.attribution.overlayUrl}?view=heat&rectify=false`)
    expect(await sharp(await heat.arrayBuffer()).metadata()).toMatchObject({ width, height, channels: 4 })

    const npy = Buffer.from(await (await get(run.attribution.npyUrl)).arrayBuffer())
    expect(npy.subarray(1, 6).toString()).toBe('NUMPY')
    expect(npy.toString('latin1')).toContain("'shape': (14, 14)")
    const values = Array.from({ length: 196 }, (_, index) => npy.readFloatLE(npy.length - 196 * 4 + index * 4))
    expect(values).toEqual(run.attribution.values)
  })

  it('of a thousand classes is answered with as many predictions as are asked for', async () => {
    const { assetId } = await upload(await readFile(DOG))
    const { id, target, predictions } = await explain({
      model: 'efficientnet-lite0',
      method: 'grad-cam',
      image: { assetId },
    })
    expect(target.label).toBe('German shepherd')
    expect(predictions).toHaveLength(1000)
    const ask = (run: string) => server.data<{ run: Record<string, unknown> }>(`{ run(id: "${id}") { ${run} } }`)
    const { run } = await ask('first: predictions(first: 5) { label } none: predictions(first: 0) { label } classCount')
    expect(run).toEqual({ first: predictions.slice(0, 5).map(({ label }) => ({ label })), none: [], classCount: 1000 })
    expect((await server.graphql(`{ run(id: "${id}") { predictions(first: -1) { label } } }`)).errors).toMatchObject([
      {
        message: expect.stringContaining('first must be 0 or more, not -1') as string,
        extensions: { code: 'BAD_INPUT' },
      },
    ])
  })

  it('comes as base64 or in a form just as well, and is one picture', async () => {
    const bytes = await readFile(DOG)
    const form = new FormData()
    form.set('anything', new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }), 'dog.jpg')
    const response = await fetch(`${server.url}/api/images`, { method: 'POST', body: form })
    const { assetId } = (await response.json()) as { assetId: string }
    const one = await explain({ model: 'pets-cnn', method: 'grad-cam', image: { assetId } })
    const url = `data:image/jpeg;base64,${bytes.toString('base64')}`
    const two = await explain({ model: 'pets-cnn', method: 'grad-cam', image: { base64: url } })
    expect(two.id).toBe(one.id)
    expect((await server.rows())['asset']).toBe(1)
  })

  it('is explained for another class, at another layer, with CAM, and by TensorFlow.js alike', async () => {
    const image = { base64: (await readFile(DOG)).toString('base64') }
    const cat = await explain({ model: 'pets-cnn', method: 'grad-cam', image, target: { label: 'cat' } })
    expect(cat.target.label).toBe('cat')
    const earlier = await explain({ model: 'pets-cnn', method: 'grad-cam', image, params: { layer: 'conv_pw_5_relu' } })
    expect(earlier.attribution.layer).toBe('conv_pw_5_relu')
    const cam = await explain({ model: 'pets-cnn', method: 'cam', image })
    const onnx = await explain({ model: 'pets-cnn', method: 'grad-cam', image })
    const tfjs = await explain({ model: 'pets-cnn-tfjs', method: 'grad-cam', image })
    expect(cam.status).toBe('DONE')
    const range = Math.max(...onnx.attribution.values) - Math.min(...onnx.attribution.values)
    onnx.attribution.values.forEach((value, index) => {
      expect(Math.abs(value - (tfjs.attribution.values[index] ?? Number.NaN)) / range).toBeLessThan(1e-3)
    })
  })

  it('keeps the name it came with, is found by it, and keeps it from those it is shared with', async () => {
    const image = { base64: (await encoded('png', quarters(64, 48))).toString('base64') }
    const input = { model: 'pets-cnn', method: 'grad-cam', image }
    const name = async (id: string) =>
      (await server.data<{ run: { name: string | null } }>('query ($id: ID!) { run(id: $id) { name } }', { id })).run
        .name
    const found = async (search: string) =>
      (
        await server.data<{ runs: { edges: { node: { id: string } }[] } }>(
          'query ($search: String) { runs(search: $search) { edges { node { id } } } }',
          { search },
        )
      ).runs.edges.map(({ node }) => node.id)

    const { id } = await explain(input)
    expect(await name(id)).toBeNull()
    // The same question is the same run, which takes the first name it is given, and no other.
    expect((await explain({ ...input, name: ' 100%_sure\n.png ' })).id).toBe(id)
    expect(await name(id)).toBe('100%_sure .png')
    expect((await explain({ ...input, name: 'other.png' })).id).toBe(id)
    expect(await name(id)).toBe('100%_sure .png')
    const another = await explain({ ...input, target: { label: 'cat' }, name: '1000 sure.png' })

    expect(await found('SURE .png')).toEqual([id])
    expect(await found('100%_s')).toEqual([id])
    expect(await found('%_')).toEqual([id])
    expect(await found('1000')).toEqual([another.id])

    const { shareRun } = await server.data<{ shareRun: { url: string } }>(
      'mutation ($id: ID!) { shareRun(runId: $id) { url } }',
      { id },
    )
    const token = shareRun.url.split('/').at(-1)
    const { sharedRun } = await server.data<{ sharedRun: { name: string | null } }>(
      'query ($token: String!) { sharedRun(token: $token) { name } }',
      { token },
    )
    expect(sharedRun.name).toBeNull()
  })

  it.each([
    ['CMYK', () => cmykJpeg(), /CMYK/],
    ['animated', () => animated('gif'), /animated/],
  ])('in %s is accepted, and the run says what was done to it', async (_name, make, says) => {
    const run = await explain({
      model: 'pets-cnn',
      method: 'grad-cam',
      image: { base64: (await make()).toString('base64') },
    })
    expect(run.status).toBe('DONE')
    expect(run.diagnoses).toContainEqual(
      expect.objectContaining({ code: 'INPUT_CONVERTED', message: expect.stringMatching(says) as string }),
    )
  })

  it('turned by EXIF is shown upright', async () => {
    const { assetId, width, height } = await upload(await exifRotatedJpeg(6, quarters(120, 80)))
    expect([width, height]).toEqual([120, 80])
    const shown = await sharp(await (await get(`/api/images/${assetId}`)).arrayBuffer())
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect(shown.info).toMatchObject({ width: 120, height: 80 })
    const [red = 0, green = 0] = shown.data.subarray(0, 3)
    expect(red).toBeGreaterThan(green + 100) // the red quarter is top left again
  })

  it.each([
    ['view=half', /view is "half"/],
    ['colormap=jet', /no colour map "jet"/],
    ['opacity=2', /0 to 1/],
    ['color=viridis', /no parameter "color".*Did you mean "colormap"\?/],
  ])('is not drawn with %s', async (query, says) => {
    const image = { base64: (await encoded('png')).toString('base64') }
    const run = await explain({ model: 'pets-cnn', method: 'grad-cam', image })
    const response = await get(`${run.attribution.overlayUrl}?${query}`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { code: 'BAD_PARAMETER', message: expect.stringMatching(says) as string },
    })
  })

  it.each(['/api/images/x', '/api/runs/x/overlay.png', '/api/runs/x/attribution.npy', '/api/nothing'])(
    'that is not there is not found: %s',
    async (path) => {
      const response = await get(path)
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
    },
  )
})
