/** pets-cnn is shipped twice from the same weights: both engines must give the same answer to the same question. */
import { access } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ExplainableModel } from '../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { loadTfjsModel } from '../../../lib/engine/tfjs/load.ts'
import { float32, type FloatTensor } from '../../../lib/tensor/tensor.ts'

const TAP = 'conv_pw_12_relu'
const FILES = { onnx: 'models/pets-cnn/model.onnx', tfjs: 'models/pets-cnn/tfjs/model.json' }

const present = await Promise.all(Object.values(FILES).map((file) => access(file))).then(
  () => true,
  () => false,
)
if (!present) console.warn('two-engines.test.ts skipped: models/pets-cnn is not complete in this checkout')

/** A picture with soft blobs and stripes in the range that the model is fed: [1, 3, 224, 224]. */
function picture(seed: number): FloatTensor {
  const data = Float32Array.from({ length: 3 * 224 * 224 }, (_, index) => {
    const [x, y, c] = [index % 224, Math.floor(index / 224) % 224, Math.floor(index / (224 * 224))]
    const blob = Math.exp(-((x - 80 - 30 * seed) ** 2 + (y - 120) ** 2) / 2500)
    return 0.6 * blob + 0.4 * Math.sin((x + 2 * y) / (9 + 3 * c + seed)) - 0.1 * c
  })
  return float32(data, [1, 3, 224, 224])
}

/** Selvaraju 2017, equations 1 and 2, before the ReLU. */
function gradCam(map: FloatTensor, gradient: FloatTensor): Float32Array {
  const [, channels = 0, height = 0, width = 0] = map.dims
  const area = height * width
  const cam = new Float32Array(area)
  for (let c = 0; c < channels; c++) {
    const weight = gradient.data.subarray(c * area, (c + 1) * area).reduce((sum, value) => sum + value, 0) / area
    for (let place = 0; place < area; place++)
      cam[place] = (cam[place] ?? 0) + weight * (map.data[c * area + place] ?? 0)
  }
  return cam
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - (b[index] ?? NaN))), 0)
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? NaN), 0)
}

function range(values: Float32Array): number {
  return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b))
}

describe.skipIf(!present)('pets-cnn in both engines', () => {
  let engines: readonly [ExplainableModel, ExplainableModel]
  beforeAll(async () => {
    engines = [await loadOnnxModel(FILES.onnx, { threads: 1 }), await loadTfjsModel(FILES.tfjs)]
  }, 60_000)
  afterAll(async () => {
    await Promise.all(engines.map((model) => model.dispose()))
  })

  async function ask(model: ExplainableModel, seed: number, classIndex: number, wrt: readonly string[]) {
    const weights = float32(classIndex === 0 ? [1, 0] : [0, 1], [1, 2])
    const answer = await model.ask({
      feeds: { [model.inputs[0] ?? '']: picture(seed) },
      read: [model.logits, TAP],
      gradient: { of: { [model.logits]: weights }, wrt },
    })
    const get = (from: Readonly<Record<string, FloatTensor>>, id: string): FloatTensor => {
      const found = from[id]
      if (found === undefined) throw new Error(`no ${id}`)
      return found
    }
    return {
      logits: get(answer.values, model.logits),
      map: get(answer.values, TAP),
      gradients: wrt.map((tap) => get(answer.gradients, tap)),
    }
  }

  it.each([
    [0, 0],
    [1, 1],
    [2, 0],
  ])(
    'gives the same logits, activations and Grad-CAM map: picture %i, class %i',
    async (seed, classIndex) => {
      const [onnx, tfjs] = await Promise.all(engines.map((model) => ask(model, seed, classIndex, [TAP])))
      if (onnx === undefined || tfjs === undefined) throw new Error('two engines')
      expect(tfjs.map.dims).toEqual(onnx.map.dims)
      expect(largestDifference(onnx.logits.data, tfjs.logits.data)).toBeLessThan(1e-4)
      expect(largestDifference(onnx.map.data, tfjs.map.data)).toBeLessThan(1e-4 * range(onnx.map.data))
      const maps = [onnx, tfjs].map(({ map, gradients: [gradient] }) => gradCam(map, gradient ?? map))
      const [first = new Float32Array(), second = new Float32Array()] = maps
      expect(range(first)).toBeGreaterThan(0)
      expect(largestDifference(first, second)).toBeLessThan(1e-3 * range(first))
    },
    60_000,
  )

  it('gives the same gradient at the input', async () => {
    const found = await Promise.all(engines.map((model) => ask(model, 1, 1, [model.inputs[0] ?? ''])))
    const [onnx = new Float32Array(), tfjs = new Float32Array()] = found.map(
      ({ gradients: [gradient] }) => gradient?.data ?? new Float32Array(),
    )
    const largest = onnx.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(largest).toBeGreaterThan(0)
    // A ReLU whose input lies within rounding of a kink opens in one engine and not in the other, and what lies before it
    // differs then: a few places in a thousand. Everywhere else the two are the same.
    const apart = onnx.filter((value, index) => !(Math.abs(value - (tfjs[index] ?? NaN)) < 1e-3 * largest)).length
    expect(apart / onnx.length).toBeLessThan(0.005)
    expect(dot(onnx, tfjs) / Math.sqrt(dot(onnx, onnx) * dot(tfjs, tfjs))).toBeGreaterThan(0.999)
  }, 60_000)

  it('has the same linear head and the same default tap', async () => {
    const [onnx, tfjs] = await Promise.all(engines.map((model) => model.linearHead(TAP)))
    expect(engines.map(({ defaultTap }) => defaultTap)).toEqual([TAP, TAP])
    expect(onnx?.weights.dims).toEqual([2, 1024])
    expect(
      largestDifference(onnx?.weights.data ?? new Float32Array([NaN]), tfjs?.weights.data ?? new Float32Array()),
    ).toBeLessThan(1e-6)
    expect(
      largestDifference(onnx?.bias.data ?? new Float32Array([NaN]), tfjs?.bias.data ?? new Float32Array()),
    ).toBeLessThan(1e-6)
  })
})
