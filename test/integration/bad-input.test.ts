/** Bad input gets an error with a code and a sentence that helps, and nothing is stored. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../lib/errors.ts'
import { encoded, heicHeader, pngClaiming, quarters, svg, truncated } from '../helpers/images.ts'
import { EXPLAIN } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const photo = (bytes: Uint8Array) => ({ model: 'pets-cnn', method: 'grad-cam', image: { base64: base64(bytes) } })
const review = (text: string) => ({ model: 'reviews-minilm', method: 'gradient-norm', text })

interface Case {
  readonly name: string
  readonly input: () => Promise<Record<string, unknown>> | Record<string, unknown>
  readonly code: ErrorCode
  /** What the sentence has to tell. */
  readonly says: RegExp
}

const good = () => encoded('jpeg')

const CASES: readonly Case[] = [
  { name: 'not an image', input: () => photo(Buffer.from('hello')), code: 'BAD_IMAGE', says: /not a picture/ },
  { name: 'an SVG', input: () => photo(svg()), code: 'BAD_IMAGE', says: /SVG/ },
  { name: 'a HEIC', input: () => photo(heicHeader()), code: 'BAD_IMAGE', says: /HEI[CF]/ },
  {
    name: 'a truncated JPEG',
    input: async () => photo(truncated(await good(), 0.6)),
    code: 'BAD_IMAGE',
    says: /damaged/,
  },
  {
    name: 'a truncated PNG',
    input: async () => photo(truncated(await encoded('png'), 0.6)),
    code: 'BAD_IMAGE',
    says: /damaged/,
  },
  { name: 'an empty image', input: () => photo(Buffer.alloc(0)), code: 'BAD_IMAGE', says: /empty/ },
  {
    name: 'a 1×1 image',
    input: async () => photo(await encoded('png', quarters(1, 1))),
    code: 'BAD_IMAGE',
    says: /1 × 1/,
  },
  { name: 'over 20 MB', input: () => photo(Buffer.alloc(20_000_001)), code: 'IMAGE_TOO_LARGE', says: /20(\.0)? MB/ },
  {
    name: 'over 100 megapixels',
    input: () => photo(pngClaiming(10_001, 10_000)),
    code: 'IMAGE_TOO_LARGE',
    says: /100 megapixels/,
  },
  {
    name: 'base64 that is none',
    input: () => ({ model: 'pets-cnn', method: 'grad-cam', image: { base64: 'päh!' } }),
    code: 'BAD_IMAGE',
    says: /base64/,
  },
  {
    name: 'an unknown picture',
    input: () => ({ model: 'pets-cnn', method: 'grad-cam', image: { assetId: 'f'.repeat(64) } }),
    code: 'NOT_FOUND',
    says: /\/api\/images/,
  },
  { name: 'an empty text', input: () => review(''), code: 'BAD_TEXT', says: /no text/ },
  { name: 'a blank text', input: () => review(' \n\t\u3000'), code: 'BAD_TEXT', says: /no text/ },
  { name: '100,000 words', input: () => review('word '.repeat(100_000)), code: 'TEXT_TOO_LONG', says: /20,000 words/ },
  { name: 'half an emoji', input: () => review('good \ud83d'), code: 'BAD_TEXT', says: /surrogate/ },
  {
    name: 'an unknown model',
    input: () => ({ ...review('good'), model: 'reviews-minilmm' }),
    code: 'UNKNOWN_MODEL',
    says: /Did you mean "reviews-minilm"\?/,
  },
  {
    name: 'an unknown method',
    input: () => ({ ...review('good'), method: 'gradient-nrom' }),
    code: 'UNKNOWN_METHOD',
    says: /Did you mean "gradient-norm"\?/,
  },
  {
    name: 'an unknown label',
    input: () => ({ ...review('good'), target: { label: 'brilliant' } }),
    code: 'UNKNOWN_LABEL',
    says: /"brilliant".*negative, positive/,
  },
  {
    name: 'a label index out of range',
    input: () => ({ ...review('good'), target: { index: 2 } }),
    code: 'UNKNOWN_LABEL',
    says: /0 to 1/,
  },
  {
    name: 'a label and an index that differ',
    input: () => ({ ...review('good'), target: { index: 0, label: 'positive' } }),
    code: 'UNKNOWN_LABEL',
    says: /two classes/,
  },
  {
    name: 'an unknown layer',
    input: async () => ({ ...photo(await good()), params: { layer: 'conv_pw_12_rleu' } }),
    code: 'UNKNOWN_LAYER',
    says: /no layer "conv_pw_12_rleu".*Did you mean "conv_pw_12_relu"\?/,
  },
  {
    name: 'a layer without extent',
    input: async () => ({ ...photo(await good()), params: { layer: 'logits' } }),
    code: 'METHOD_UNAVAILABLE',
    says: /"logits".*spatial/,
  },
  {
    name: 'CAM at a layer without the linear head behind it',
    input: async () => ({ ...photo(await good()), method: 'cam', params: { layer: 'conv1_relu' } }),
    code: 'METHOD_UNAVAILABLE',
    says: /global average pooling/,
  },
  {
    name: 'an unknown parameter',
    input: () => ({ ...review('good'), method: 'integrated-gradients', params: { step: 20 } }),
    code: 'BAD_PARAMETER',
    says: /no parameter "step".*Did you mean "steps"\?/,
  },
  {
    name: 'a parameter out of range',
    input: () => ({ ...review('good'), method: 'integrated-gradients', params: { steps: 0 } }),
    code: 'BAD_PARAMETER',
    says: /steps is "0"/,
  },
  {
    name: 'a parameter that is none of the choices',
    input: () => ({ ...review('good'), method: 'integrated-gradients', params: { rule: 'simpson' } }),
    code: 'BAD_PARAMETER',
    says: /rule is "simpson".*gauss-legendre/,
  },
  {
    name: 'parameters that are no object',
    input: () => ({ ...review('good'), params: [1] }),
    code: 'BAD_PARAMETER',
    says: /object/,
  },
  {
    name: 'a picture for a text model',
    input: async () => ({ ...photo(await good()), model: 'reviews-minilm', method: 'gradient-norm' }),
    code: 'WRONG_MODALITY',
    says: /reads text, and was given a picture/,
  },
  {
    name: 'a text for a picture model',
    input: () => ({ ...review('good'), model: 'pets-cnn', method: 'grad-cam' }),
    code: 'WRONG_MODALITY',
    says: /reads a picture, and was given text/,
  },
  {
    name: 'a method of the other modality',
    input: () => ({ ...review('good'), method: 'grad-cam' }),
    code: 'WRONG_MODALITY',
    says: /explains image models/,
  },
  {
    name: 'both a picture and a text',
    input: async () => ({ ...photo(await good()), text: 'good' }),
    code: 'BAD_INPUT',
    says: /not both/,
  },
  { name: 'neither', input: () => ({ model: 'pets-cnn', method: 'grad-cam' }), code: 'BAD_INPUT', says: /missing/ },
  {
    name: 'a picture that is none',
    input: () => ({ model: 'pets-cnn', method: 'grad-cam', image: {} }),
    code: 'BAD_INPUT',
    says: /^input\.image must have exactly one .*base64 \(The bytes.*assetId \(What POST \/api\/images answered/,
  },
  {
    name: 'two pictures in one',
    input: () => ({ model: 'pets-cnn', method: 'grad-cam', image: { base64: 'x', assetId: 'y' } }),
    code: 'BAD_INPUT',
    says: /exactly one/,
  },
  {
    name: 'a picture of null',
    input: () => ({ model: 'pets-cnn', method: 'grad-cam', image: { assetId: null } }),
    code: 'BAD_INPUT',
    says: /assetId/,
  },
  {
    name: 'a model of the wrong type',
    input: () => ({ ...review('good'), model: {} }),
    code: 'BAD_INPUT',
    says: /model/,
  },
  {
    name: 'a name of 256 characters',
    input: () => ({ ...review('good'), name: 'n'.repeat(256) }),
    code: 'BAD_INPUT',
    says: /255/,
  },
  { name: 'a negative seed', input: () => ({ ...review('good'), seed: -1 }), code: 'BAD_INPUT', says: /seed is -1/ },
]

describe('explain', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.remove())

  it.each(CASES)('refuses $name', async ({ input, code, says }) => {
    const { data, errors } = await server.graphql(EXPLAIN, { input: await input() })
    expect(data ?? null).toBeNull() // absent where GraphQL itself refuses
    expect(errors?.[0]).toMatchObject({ message: expect.stringMatching(says), extensions: { code } })
    const rows = Object.entries(await server.rows())
    expect(rows.length).toBeGreaterThanOrEqual(6)
    expect(rows.filter(([, count]) => count > 0)).toEqual([])
    expect(await readdir(server.folder)).not.toContain('assets')
  })

  it('refuses a body of more than 30 MB, and one that is not JSON, in the form of GraphQL', async () => {
    const post = (body: string) =>
      fetch(`${server.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const large = await post(JSON.stringify({ query: ' '.repeat(32_000_000) }))
    expect(large.status).toBe(413)
    expect(await large.json()).toMatchObject({ errors: [{ extensions: { code: 'IMAGE_TOO_LARGE' } }] })
    const broken = await post('{"query":')
    expect(broken.status).toBe(400)
    expect(await broken.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_INPUT' } }] })
  })

  it.each([
    ['raw', { 'content-type': 'image/jpeg' }, 20_000_001, 413, 'IMAGE_TOO_LARGE'],
    ['raw', { 'content-type': 'application/octet-stream' }, 10, 400, 'BAD_IMAGE'],
    ['raw', { 'content-type': 'text/plain' }, 10, 400, 'BAD_INPUT'],
    ['raw', { 'content-type': 'multipart/form-data; boundary=x' }, 10, 400, 'BAD_INPUT'],
  ])('POST /api/images refuses %s %o of %d bytes with %d', async (_kind, headers, size, status, code) => {
    const response = await fetch(`${server.url}/api/images`, { method: 'POST', headers, body: new Uint8Array(size) })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code } })
    expect(await readdir(server.folder).then((names) => names.filter((name) => join(name) === 'assets'))).toEqual([])
  })

  it('POST /api/images refuses a form with too large a file and one without', async () => {
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array(20_000_001)]))
    const large = await fetch(`${server.url}/api/images`, { method: 'POST', body: form })
    expect(large.status).toBe(413)
    const without = new FormData()
    without.set('name', 'value')
    const none = await fetch(`${server.url}/api/images`, { method: 'POST', body: without })
    expect(none.status).toBe(400)
    expect(await none.json()).toMatchObject({ error: { message: expect.stringContaining('no file') } })
  })
})
