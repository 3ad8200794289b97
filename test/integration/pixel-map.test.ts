/** A map of single pixels from a picture to its overlay: as large as the model's input, laid where the model looked. */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'

const DOG = new URL('../../public/samples/german-shepherd.jpg', import.meta.url)
const EXPLAIN = `mutation ($input: ExplainInput!) { explain(input: $input, waitMs: 120000) {
  status error { message } image { width height } diagnoses { code }
  attribution { ... on ImageAttribution {
    width height values layer placement { x y width height } completeness { sum expected error points } overlayUrl } } } }`

interface PixelRun {
  readonly image: { readonly width: number; readonly height: number }
  readonly attribution: {
    readonly values: readonly number[]
    readonly placement: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
    readonly completeness: { readonly sum: number; readonly expected: number; readonly points: number } | null
    readonly overlayUrl: string
  }
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.remove())

const explained = async (method: string, params: object): Promise<PixelRun> => {
  const base64 = `data:image/jpeg;base64,${(await readFile(DOG)).toString('base64')}`
  const input = { model: 'efficientnet-lite0', method, params, image: { base64 } }
  return (await server.data<{ explain: PixelRun }>(EXPLAIN, { input })).explain
}

it('is stored with its completeness and drawn where the model looked', async () => {
  const run = await explained('integrated-gradients', { steps: 3 })
  expect(run).toMatchObject({ status: 'DONE', attribution: { width: 224, height: 224, layer: null } })
  const { values, placement, completeness, overlayUrl } = run.attribution
  expect(values).toHaveLength(224 * 224)
  const sum = values.reduce((total, one) => total + one, 0)
  expect(completeness?.sum).toBeCloseTo(sum, 3)
  expect(completeness?.points).toBe(3)

  const heat = await fetch(`${server.url}${overlayUrl}?view=heat&rectify=false`)
  const { data, info } = await sharp(await heat.arrayBuffer())
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height } = run.image
  expect(info).toMatchObject({ width, height, channels: 4 })
  const wrong = Array.from({ length: width * height }, (_, at) => at).filter((at) => {
    const [x, y] = [((at % width) + 0.5) / width - placement.x, (Math.floor(at / width) + 0.5) / height - placement.y]
    const inside = x >= 0 && x <= placement.width && y >= 0 && y <= placement.height
    return (data[4 * at + 3] ?? 0) > 0 !== inside
  })
  expect(placement.width * placement.height).toBeLessThan(0.9)
  expect(wrong).toEqual([])
})

it('of a method that does not add up says nothing of it', async () => {
  const run = await explained('gradient', {})
  expect(run).toMatchObject({
    status: 'DONE',
    attribution: { width: 224, height: 224, layer: null, completeness: null },
  })
})
