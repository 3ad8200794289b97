/** What layers do over inputs, through everything: asked over GraphQL, computed in a worker, stored, drawn, deleted. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COLOUR_MAPS } from '../../lib/render/colour-maps.ts'
import { MODELS, ROOT } from '../../server/paths.ts'
import { createStatisticsStore } from '../../server/services/statistics-store.ts'
import { watchStatistics } from '../../server/services/watch-statistics.ts'
import { EXPLAIN, textInput, type Explained } from '../helpers/requests.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'

interface Tap {
  readonly tap: string
  readonly layout: string
  readonly values: number
  readonly mean: number
  readonly standardDeviation: number
  readonly least: number
  readonly nearZero: number
  readonly negative: number
  readonly deadChannels: number
  readonly channels: {
    readonly mean: number[]
    readonly dead: boolean[]
    readonly contribution: number[] | null
  } | null
  readonly whyNoContribution: string | null
  readonly histogram: { readonly edges: number[]; readonly counts: number[] }
  readonly byInput: number[][]
  readonly pictureUrl: string
}
interface Answered {
  readonly id: string
  readonly status: string
  readonly progress: number
  readonly error: { readonly code: string; readonly message: string } | null
  readonly scores: readonly { readonly label: string; readonly scalar: number }[]
  readonly taps: readonly Tap[]
  readonly pictureUrl: string
}

const STATISTICS = `id status progress error { code message } scores { label scalar } pictureUrl taps {
  tap layout values mean standardDeviation least nearZero negative deadChannels
  channels { mean dead contribution } whyNoContribution histogram { edges counts } byInput pictureUrl }`
const ASK = `mutation ($model: ID!, $inputs: [StatisticsInput!]!, $taps: [ID!], $target: TargetInput, $nearZero: Float, $bins: Int, $waitMs: Int = 300000) {
  activationStatistics(model: $model, inputs: $inputs, taps: $taps, target: $target, nearZero: $nearZero, bins: $bins, waitMs: $waitMs) { ${STATISTICS} } }`
const PREDICTED =
  'query ($id: ID!) { run(id: $id) { predictions { label logit } attribution { ... on TextAttribution { tokens { score } } } } }'

let server: TestServer
let photos: readonly { readonly assetId: string }[]
beforeAll(async () => {
  server = await startTestServer()
  const upload = async (name: string): Promise<{ assetId: string }> => {
    const body = readFileSync(join(ROOT, 'public/samples', name))
    const { assetId } = (await (await fetch(`${server.url}/api/images`, { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body })).json()) as { assetId: string } // prettier-ignore
    return { assetId }
  }
  photos = [await upload('kitten.jpg'), await upload('german-shepherd.jpg')]
})
afterAll(() => server.remove())

const ask = async (variables: Record<string, unknown>): Promise<Answered> =>
  (await server.data<{ activationStatistics: Answered }>(ASK, variables)).activationStatistics
const refusal = async (variables: Record<string, unknown>) => (await server.graphql(ASK, variables)).errors?.[0]
const explained = async (input: object): Promise<string> =>
  (await server.data<Explained>(EXPLAIN, { input })).explain.id
const total = (values: readonly number[] | null | undefined): number =>
  (values ?? []).reduce((sum, one) => sum + one, 0)

function hashOf(model: string): string {
  const hash = createHash('sha256')
  const files = readdirSync(join(MODELS, model), { withFileTypes: true }).filter((entry) => entry.isFile())
  for (const name of files.map((file) => file.name).sort())
    hash.update(name).update(readFileSync(join(MODELS, model, name)))
  return hash.digest('hex')
}

const TEXTS = [{ text: 'A wonderful film, and beautifully acted.' }, { text: 'Dull.' }]

describe('activation statistics', () => {
  it('of photos: every layer in network order, what each does together and for each photo', async () => {
    const before = hashOf('pets-cnn')
    const image = { assetId: photos[0]?.assetId }
    const first = await explained({ model: 'pets-cnn', method: 'grad-cam', image })
    const found = await ask({ model: 'pets-cnn', inputs: photos })
    expect(found).toMatchObject({ status: 'DONE', progress: 1, error: null })
    expect(found.scores.map(({ label }) => label)).toEqual(['cat', 'dog'])
    const { taps } = found
    expect(taps.length).toBeGreaterThan(20)
    expect(taps.length).toBeLessThanOrEqual(64)
    for (const tap of taps) {
      expect(total(tap.histogram.counts)).toBe(tap.values)
      expect(tap.histogram.counts.map((_, bin) => total(tap.byInput.map((counts) => counts[bin] ?? NaN)))).toEqual(tap.histogram.counts) // prettier-ignore
      const below = tap.histogram.counts.filter((_, bin) => (tap.histogram.edges[bin] ?? NaN) < 0)
      expect(tap.negative).toBeCloseTo(total(below) / tap.values, 12)
      expect(tap.deadChannels).toBe(tap.channels?.dead.filter(Boolean).length ?? tap.deadChannels)
      expect(tap.channels?.contribution === null).toBe(tap.channels !== null && tap.whyNoContribution !== null)
    }
    expect(taps.some(({ negative }) => negative > 0.2)).toBe(true)
    expect(taps.some(({ layout, least, nearZero }) => layout === 'MAPS' && least === 0 && nearZero > 0.2)).toBe(true)
    // Nothing has changed: neither the files, nor what the loaded model says.
    expect(hashOf('pets-cnn')).toBe(before)
    const again = await explained({ model: 'pets-cnn', method: 'grad-cam', image, seed: 1 })
    expect(again).not.toBe(first)
    const logits = async (id: string) => await server.data(PREDICTED, { id })
    expect(await logits(again)).toEqual(await logits(first))
  })

  it('give each channel its part of the class score: together the sum of HiResCAM at that layer', async () => {
    const { taps } = await ask({ model: 'pets-cnn', inputs: photos.slice(0, 1), target: { label: 'dog' } })
    const layer = taps.findLast(({ layout }) => layout === 'MAPS')?.tap
    const run = await explained({
      model: 'pets-cnn',
      method: 'hires-cam',
      image: photos[0],
      target: { label: 'dog' },
      params: { layer },
    })
    const npy = Buffer.from(await (await fetch(`${server.url}/api/runs/${run}/attribution.npy`)).arrayBuffer())
    const body = npy.subarray(10 + npy.readUInt16LE(8))
    const map = Array.from({ length: body.length / 4 }, (_, at) => body.readFloatLE(at * 4))
    const contribution = taps.find(({ tap }) => tap === layer)?.channels?.contribution
    expect(total(contribution) / total(map)).toBeCloseTo(1, 4)
  })

  it('of texts of unequal length: features of tokens, whose contributions are input times gradient of the words', async () => {
    const before = hashOf('reviews-minilm')
    const { model } = await server.data<{ model: { defaultTap: string } }>(
      '{ model(id: "reviews-minilm") { defaultTap } }',
    )
    const taps = [model.defaultTap]
    const [both, one] = [
      await ask({ model: 'reviews-minilm', inputs: TEXTS, taps }),
      await ask({ model: 'reviews-minilm', inputs: TEXTS.slice(0, 1), taps }),
    ]
    const [tap, alone] = [both.taps[0], one.taps[0]]
    expect(tap).toMatchObject({ tap: model.defaultTap, layout: 'TOKENS' })
    expect(tap?.channels?.mean).toHaveLength(384)
    const places = [both, one].map(({ taps: [only] }) => (only?.values ?? NaN) / 384)
    // [CLS] dull . [SEP] beside the tokens of the other.
    expect((places[0] ?? NaN) - (places[1] ?? NaN)).toBe(4)
    expect(total(tap?.byInput[0])).toBe(alone?.values)
    const run = await explained(textInput(TEXTS[0]?.text ?? '', { method: 'input-x-gradient' }))
    const { run: found } = await server.data<{ run: { attribution: { tokens: { score: number }[] } } }>(PREDICTED, {
      id: run,
    })
    const scores = total(found.attribution.tokens.map(({ score }) => score))
    expect(total(alone?.channels?.contribution) / scores).toBeCloseTo(1, 4)
    expect(hashOf('reviews-minilm')).toBe(before)
  })

  it('are stored: the same question is the same statistics, another bound another', async () => {
    const question = { model: 'reviews-minilm', inputs: TEXTS, bins: 16 }
    const asked = await ask(question)
    expect(await ask({ ...question, waitMs: 0 })).toEqual(asked)
    const query = `query ($id: ID!) { activationStatistics(id: $id) { ${STATISTICS} } }`
    expect(await server.data(query, { id: asked.id })).toEqual({ activationStatistics: asked })
    const other = await ask({ ...question, nearZero: 1000 })
    expect(other.id).not.toBe(asked.id)
    expect(other.taps.every(({ nearZero, deadChannels }) => nearZero === 1 && deadChannels > 0)).toBe(true)
    expect(asked.taps.every(({ histogram }) => histogram.counts.length <= 16)).toBe(true)

    const remove = 'mutation ($id: ID!) { deleteActivationStatistics(id: $id) }'
    expect(await server.data(remove, { id: other.id })).toEqual({ deleteActivationStatistics: true })
    expect(await server.data(remove, { id: other.id })).toEqual({ deleteActivationStatistics: false })
    expect((await server.graphql(query, { id: other.id })).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
  })

  it('are drawn: a row a layer or an input, a column a bin, in the colours that are served', async () => {
    const found = await ask({ model: 'pets-cnn', inputs: photos })
    const pixels = async (url: string) => {
      const response = await fetch(server.url + url)
      expect(response.headers.get('content-type')).toBe('image/png')
      return sharp(Buffer.from(await response.arrayBuffer()))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true })
    }
    const layers = await pixels(found.pictureUrl)
    const most = Math.max(...found.taps.map(({ histogram }) => histogram.counts.length))
    expect(layers.info).toMatchObject({ width: most * 8, height: found.taps.length * 8 })
    expect((await pixels(`${found.pictureUrl}&scale=common&cell=2`)).info.height).toBe(found.taps.length * 2)

    const [tap] = found.taps
    const { data, info } = await pixels(`${tap?.pictureUrl}&cell=1&colormap=magma`)
    expect(info).toMatchObject({ width: tap?.histogram.counts.length, height: 2 })
    const largest = Math.max(...(tap?.byInput.flat() ?? []))
    const expected = tap?.byInput.flat().flatMap((count) => {
      const at = Math.round((Math.log1p(count) / Math.log1p(largest)) * 255) * 3
      return [...COLOUR_MAPS.magma.table.subarray(at, at + 3)]
    })
    expect([...data]).toEqual(expected)

    const refused = async (query: string) => ((await (await fetch(`${server.url}${found.pictureUrl}${query}`)).json()) as { error: { message: string } }).error.message // prettier-ignore
    expect(await refused('&cell=99')).toContain('cell is "99"; it must be a whole number of pixels from 1 to 32')
    expect(await refused('&colormap=pink')).toContain('no colour map "pink"')
    expect(await refused('&celll=1')).toContain('Did you mean "cell"?')
    expect((await fetch(`${server.url}${found.pictureUrl.replace('layers', 'inputs')}`)).status).toBe(400)
    expect((await fetch(`${server.url}/api/statistics/none/colourful-dimension.png`)).status).toBe(404)
  })

  it('are told of while they are computed, and stop when they are cancelled; asked again they are computed', async () => {
    const inputs = Array.from({ length: 300 }, (_, at) => ({ text: `Film number ${at} is neither good nor bad.` }))
    const long = { model: 'reviews-minilm', inputs, waitMs: 0 }
    const { id, taps, status } = await ask(long)
    expect([taps, status]).toEqual([[], 'QUEUED'])
    let seen = 0
    for await (const state of watchStatistics(server.parts, id)) {
      seen = (await server.parts.news.progress([id])).get(id) ?? 0
      if (state.status === 'RUNNING' && seen > 0) break
    }
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThan(1)
    const cancel = 'mutation ($id: ID!) { cancelActivationStatistics(id: $id) { status taps { tap } } }'
    const cancelled = { cancelActivationStatistics: { status: 'CANCELLED', taps: [] } }
    expect(await server.data(cancel, { id })).toEqual(cancelled)
    const again = await ask(long)
    expect(again.id).toBe(id)
    expect(again.status).toMatch(/QUEUED|RUNNING/)
    expect(await server.data(cancel, { id })).toEqual(cancelled)
    // The worker is free again.
    expect((await ask({ model: 'reviews-minilm', inputs: [{ text: 'At last.' }] })).status).toBe('DONE')
  })

  it('that were being computed when the server ended are queued by the next one, and given up after the second time', async () => {
    const { prisma, now, version } = server.parts
    const ids = [(await ask({ model: 'reviews-minilm', inputs: [{ text: 'One.' }] })).id, (await ask({ model: 'reviews-minilm', inputs: [{ text: 'Two.' }] })).id] // prettier-ignore
    for (const [at, id] of ids.entries())
      await prisma.statistics.update({ where: { id }, data: { status: 'RUNNING', result: null, attempts: at + 1 } })
    const recovered = await createStatisticsStore({ prisma, now, version }).recover()
    expect(recovered).toEqual({ queued: [{ id: ids[0], kind: 'statistics', weight: 'heavy' }], failed: 1 })
    const query = `query ($id: ID!) { activationStatistics(id: $id) { status error { code } } }`
    expect(await server.data(query, { id: ids[1] })).toEqual({
      activationStatistics: { status: 'FAILED', error: { code: 'WORKER_LOST' } },
    })
  })

  it('are refused with what to do', async () => {
    const photo = { model: 'pets-cnn', inputs: photos }
    expect((await refusal({ ...photo, inputs: [] }))?.message).toBe('Give 1 to 500 inputs, not 0.')
    expect((await refusal({ ...photo, inputs: TEXTS }))?.extensions.code).toBe('WRONG_MODALITY')
    expect((await refusal({ ...photo, inputs: [{ assetId: 'f'.repeat(64) }] }))?.extensions.code).toBe('NOT_FOUND')
    expect((await refusal({ ...photo, taps: ['none'] }))?.extensions.code).toBe('UNKNOWN_LAYER')
    expect((await refusal({ ...photo, target: { label: 'horse' } }))?.extensions.code).toBe('UNKNOWN_LABEL')
    expect((await refusal({ ...photo, nearZero: 0 }))?.message).toContain('nearZero is 0')
    expect((await refusal({ ...photo, bins: 7 }))?.message).toContain('8 to 256')
    const many = Array.from({ length: 500 }, (_, at) => ({ text: `Film ${at}.` }))
    expect((await refusal({ model: 'reviews-minilm', inputs: many, bins: 256 }))?.message).toContain('Ask for fewer')
  })
})
