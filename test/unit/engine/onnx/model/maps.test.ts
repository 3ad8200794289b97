/** Maps found by shape and provenance: tokens on a grid, channels last, and what a norm or a quantiser is written as. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { gradient } from '../../../../../lib/engine/formula.ts'
import type { ExplainableModel, Tap } from '../../../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { gradCam } from '../../../../../lib/methods/image/grad-cam.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../../helpers/image-context.ts'
import { FLOAT32, NETWORK_GRADIENT, relativeDifference } from '../../../../helpers/tolerance.ts'

const FOLDER = fileURLToPath(new URL('../../../../fixtures/maps', import.meta.url))
const golden = z.object({
  module: z.string(),
  size: z.int(),
  target: z.int(),
  grid: z.object({ rows: z.int(), columns: z.int(), leading: z.int() }),
  logits: z.array(z.number()),
  map: z.array(z.number()),
})
const STEMS = readdirSync(FOLDER).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []))
const readGolden = (stem: string) => golden.parse(JSON.parse(readFileSync(`${FOLDER}/${stem}.json`, 'utf8')))

/** The picture of goldens.py, once a row. */
function picture(size: number, rows = 1): FloatTensor {
  const length = 3 * size * size
  return float32(
    Float32Array.from({ length: rows * length }, (_, at) => Math.sin((at % length) * 0.37)),
    [rows, 3, size, size],
  )
}

const open = (file: string): Promise<ExplainableModel> => loadOnnxModel(`${FOLDER}/${file}.onnx`, { threads: 1 })
const tapOf = (model: ExplainableModel, id: string): Tap => {
  const tap = model.taps.find((one) => one.id === id)
  if (tap === undefined) throw new Error(`no tap ${id}`)
  return tap
}

describe('Grad-CAM where nothing is named equals PyTorch’s with a reshape_transform', () => {
  test('networks of every kind', () => {
    expect(STEMS.toSorted()).toEqual(['beit', 'deit', 'dinov2-registers', 'swin', 'vit', 'vit-dynamo'])
  })
  test.each(STEMS)('%s', async (stem) => {
    const { size, target, grid, logits, map } = readGolden(stem)
    const model = await open(stem)
    try {
      const found = await runImageMethod(gradCam, model, { index: target, feeds: { image: picture(size) } })
      expect(found.map.dims).toEqual([grid.rows, grid.columns])
      expect(relativeDifference(found.logits.data, logits)).toBeLessThan(NETWORK_GRADIENT)
      expect(relativeDifference(found.map.data, map)).toBeLessThan(NETWORK_GRADIENT)
    } finally {
      await model.dispose()
    }
  })
})

describe('a vision transformer', () => {
  const { size, grid } = readGolden('deit')
  let model: ExplainableModel
  beforeAll(async () => {
    model = await open('deit')
  })
  afterAll(() => model.dispose())
  const cotangent = (rows: number): Readonly<Record<string, FloatTensor>> => ({
    [model.logits]: float32(
      Float32Array.from({ length: rows * 5 }, (_, at) => (at % 5) / 3 - 1),
      [rows, 5],
    ),
  })

  test('its default map says what it sets aside', () => {
    const tap = tapOf(model, model.defaultTap)
    expect(tap).toMatchObject({ spatial: true, kind: 'norm', shape: [null, 16, 4, 4], grid, differentiable: true })
    expect(tap.note).toMatch(/4 x 4 patch tokens.*2 tokens before/s)
    expect(tapOf(model, tap.mapOf ?? '')).toMatchObject({ spatial: false, shape: [null, 18, 16], grid })
  })

  test('CAM can be asked at a layer by the name of its tokens', async () => {
    const { mapOf = '' } = tapOf(model, model.defaultTap)
    const feeds = { image: picture(size) }
    const [named, byDefault] = await Promise.all(
      [{ layer: mapOf }, {}].map((params) => runImageMethod(gradCam, model, { params, feeds })),
    )
    expect(named).toEqual(byDefault)
  })

  test('every block has maps, and the gradient of a map is that of its tokens', async () => {
    const maps = model.taps.filter((tap) => tap.mapOf !== undefined && tapOf(model, tap.mapOf).shape[1] === 18)
    expect(maps.length).toBeGreaterThan(20)
    const feeds = { image: picture(size, 2) }
    for (const { id, mapOf = '' } of maps) {
      const of = cotangent(2)
      const tokens = await model.ask({ feeds, read: [mapOf], gradient: { of, wrt: [mapOf] } })
      const map = await model.ask({ feeds, read: [id], gradient: { of, wrt: [id] } })
      const leading = tapOf(model, id).grid?.leading ?? 0
      expect(map.values[id]?.data, id).toEqual(turned(tokens.values[mapOf], leading))
      expect(
        relativeDifference(map.gradients[id]?.data ?? [], turned(tokens.gradients[mapOf], leading)),
        id,
      ).toBeLessThan(FLOAT32)
    }
  })

  test('maps that only the class tokens are read of are said to be dead, and are', async () => {
    const dead = model.taps.filter((tap) => tap.spatial && !tap.differentiable)
    expect(dead.length).toBeGreaterThan(5)
    for (const { id, reason } of dead) {
      expect(reason).toMatch(/class token alone/)
      const { gradients } = await model.ask({
        feeds: { image: picture(size) },
        read: [],
        gradient: { of: cotangent(1), wrt: [id] },
      })
      expect(
        gradients[id]?.data.every((one) => one === 0),
        id,
      ).toBe(true)
    }
    const last = model.taps.filter((tap) => tap.spatial && tap.differentiable).at(-1)
    const { computed } = await model.ask({
      feeds: { image: picture(size) },
      read: [],
      gradient: { of: cotangent(1), wrt: [] },
      formulas: { outputs: { slope: gradient(last?.id ?? '') } },
    })
    expect(computed['slope']?.data.some((one) => one !== 0)).toBe(true)
  })

  test('a map that is replaced by itself changes nothing; by another it does, the class tokens as they were', async () => {
    const feeds = { image: picture(size) }
    const { values } = await model.ask({ feeds, read: [model.defaultTap, model.logits] })
    const map = values[model.defaultTap]
    if (map === undefined) throw new Error('no map')
    const again = (one: FloatTensor) => model.ask({ feeds, from: { [model.defaultTap]: one }, read: [model.logits] })
    const [same, other] = [
      await again(map),
      await again(
        float32(
          map.data.map((one) => -one),
          map.dims,
        ),
      ),
    ]
    expect(relativeDifference(same.values[model.logits]?.data ?? [], values[model.logits]?.data ?? [])).toBeLessThan(
      FLOAT32,
    )
    expect(other.values[model.logits]?.data).not.toEqual(values[model.logits]?.data)
  })
})

/** [N, T, E] -> the values of [N, E, H, W], the first tokens left out. */
function turned(tensor: FloatTensor | undefined, leading: number): Float32Array {
  if (tensor === undefined) throw new Error('not answered')
  const [rows = 0, tokens = 0, width = 0] = tensor.dims
  const count = tokens - leading
  return Float32Array.from({ length: rows * count * width }, (_, at) => {
    const [row, rest] = [Math.floor(at / (count * width)), at % (count * width)]
    const [channel, place] = [Math.floor(rest / count), rest % count]
    return tensor.data[(row * tokens + leading + place) * width + channel] ?? Number.NaN
  })
}

test.each([
  ['groupnorm', '/c/c.5/Relu_output_0'],
  ['convinteger', '/c/c.3/Relu_output_0'],
])('%s: the last map, however its norms and its convolutions are written', async (file, layer) => {
  const model = await open(file)
  expect(model.defaultTap).toBe(layer)
  expect(tapOf(model, layer)).toMatchObject({ spatial: true, shape: [null, 8, 15, 15] })
  await model.dispose()
})
