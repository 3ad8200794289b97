/**
 * The CAM family against pytorch-grad-cam, torch-cam and literal references on two small networks that exist in PyTorch and in
 * ONNX (bench/conformance/cams.py).
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../../lib/engine/onnx/model/load.ts'
import { gradCam } from '../../../../lib/methods/image/grad-cam.ts'
import { meanOfLayers } from '../../../../lib/methods/image/shared/several-layers.ts'
import { methodFor } from '../../../../lib/methods/find.ts'
import { METHODS } from '../../../../lib/methods/index.ts'
import type { ImageMethod } from '../../../../lib/methods/method.ts'
import { mapsOver } from '../../../helpers/several.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { NETWORK_GRADIENT, relativeDifference } from '../../../helpers/tolerance.ts'

const FOLDER = new URL('../../../fixtures/conformance/cams/', import.meta.url)
const numbers = z.array(z.number())
const { provenance, networks } = z
  .object({
    provenance: z.object({ script: z.string(), date: z.string(), versions: z.record(z.string(), z.string()) }),
    networks: z.array(
      z.object({
        name: z.string(),
        model: z.string(),
        taps: z.record(z.string(), z.string()),
        image: numbers,
        logits: numbers,
        /** Grad-CAM of several layers as one map. */
        several: z.object({ index: z.int(), taps: z.array(z.string()), by: z.string(), map: numbers }).optional(),
        maps: z.array(
          z.object({
            method: z.string(),
            params: z.record(z.string(), z.unknown()),
            tap: z.string().nullable(),
            index: z.int(),
            by: z.string(),
            extent: z.tuple([z.int(), z.int()]),
            map: numbers,
          }),
        ),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('goldens.json', FOLDER), 'utf8')))

function imageMethodOf(id: string): ImageMethod {
  const method = methodFor(METHODS, 'image', id)
  if (method?.modality !== 'image') throw new Error(`no method ${id}`)
  return method
}

it('says what it was computed with', () => {
  expect(provenance).toMatchObject({ script: 'bench/conformance/cams.py', versions: { 'grad-cam': '1.5.7' } })
})

it('every CAM that reads a layer has a golden; plain CAM has its own, of another network', () => {
  const checked = new Set(networks.flatMap(({ maps }) => maps.map(({ method }) => method)))
  const cams = METHODS.filter(({ family, modality }) => family === 'CAM' && modality === 'image').map(({ id }) => id)
  expect(cams.filter((id) => !checked.has(id))).toEqual(['cam'])
})

describe.each(networks)('$name', ({ model: file, taps, image, logits, maps, several }) => {
  let model: ExplainableModel
  beforeAll(async () => {
    model = await loadOnnxModel(new URL(file, FOLDER).pathname, { threads: 1 })
  })
  afterAll(() => model.dispose())

  it.each(maps.map((one) => ({ ...one, named: JSON.stringify(one.params) })))(
    '$method $named at $tap for class $index is that of $by',
    async ({ method, params, tap, index, extent, map }) => {
      const found = await runImageMethod(imageMethodOf(method), model, {
        index,
        feeds: { image: float32(image, [1, 3, Math.sqrt(image.length / 3), Math.sqrt(image.length / 3)]) },
        params: tap === null ? params : { ...params, layer: taps[tap] },
      })
      expect(relativeDifference(found.logits.data, logits)).toBeLessThan(NETWORK_GRADIENT)
      expect(found.map.dims).toEqual(extent)
      expect(Math.max(...map.map(Math.abs))).toBeGreaterThan(0)
      expect(relativeDifference(found.map.data, map)).toBeLessThan(NETWORK_GRADIENT)
    },
  )

  if (several === undefined) return
  it('the mean of Grad-CAMs at several layers, from one question, is the peer’s', async () => {
    const { index, taps: ids, map: expected } = several
    const feeds = { image: float32(image, [1, 3, 24, 24]) }
    const context = await imageContext(model, { of: gradCam, params: {} }, { index, feeds })
    const layers = ids.flatMap((id) => model.taps.find((tap) => tap.id === id) ?? [])
    const { maps } = await mapsOver(gradCam, context, layers, [context.target], {})
    const mean = meanOfLayers([...maps.values()].flat(), [24, 24])
    expect(layers).toHaveLength(3)
    expect(relativeDifference(mean.data, expected)).toBeLessThan(NETWORK_GRADIENT)
  })
})
