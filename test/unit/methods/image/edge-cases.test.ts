/** What a CAM does where there is no ordinary map: the policy of METHODS, for all that are asked at a layer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { floatConstant } from '../../../../lib/engine/onnx/graph/constant.ts'
import { DataType } from '../../../../lib/engine/onnx/graph/graph.ts'
import { METHODS } from '../../../../lib/methods/index.ts'
import type { ImageMethod, ImageResult } from '../../../../lib/methods/method.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { graphOf, loadGraph, node } from '../../../helpers/operator-model.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'

const AT_A_LAYER = METHODS.filter(
  (method): method is ImageMethod => method.modality === 'image' && method.needs[0]?.place === 'spatial-tap',
)
const BY_GRADIENT = AT_A_LAYER.filter(({ needs }) => needs.some(({ gradient }) => gradient === true))
const WITHOUT = AT_A_LAYER.filter((method) => !BY_GRADIENT.includes(method))
const codes = ({ diagnoses }: ImageResult): string[] => diagnoses.map(({ code }) => code)

it.each(AT_A_LAYER)('$id of a picture that is the same everywhere is a constant map, and says so', async (method) => {
  const plain = float32(Array.from({ length: 108 }, (_, at) => [0.9, -0.4, 0.6][Math.floor(at / 36)] ?? 0), [1, 3, 6, 6]) // prettier-ignore
  const found = await runImageMethod(method, new TinyCnn(), { feeds: { input: plain } })
  const [first = NaN] = found.map.data
  expect(Math.max(...found.map.data.map((value) => Math.abs(value - first)))).toBeLessThanOrEqual(
    1e-6 * Math.abs(first),
  )
  expect(codes(found)).toContain('CONSTANT_MAP')
})

it.each(AT_A_LAYER)('$id of a class that nothing speaks for says what its map is', async (method) => {
  // The layer is positive, and each of its channels lowers the class, one hardly: what is left is negative or nothing.
  const headWeights = [
    [-1, -1, -1, -1, -1],
    [1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ]
  const found = await runImageMethod(method, new TinyCnn({ secondBias: 5, headWeights, headBias: [40, 0, 0] }))
  expect(found.map.data.every(Number.isFinite)).toBe(true)
  const blank = found.map.data.every((value) => value <= 0)
  const said = codes(found).filter((code) => ['ALL_NEGATIVE', 'ZERO_GRADIENT', 'CONSTANT_MAP'].includes(code))
  expect(said.length > 0).toBe(blank)
})

describe('a layer that does not reach the output', () => {
  let model: ExplainableModel
  beforeAll(async () => {
    model = await loadGraph(
      graphOf({
        inputs: [{ name: 'input', type: DataType.float, shape: ['N', 3, 6, 6] }],
        outputs: ['logits', 'other'],
        nodes: [
          node('Conv', ['input', 'kernel'], ['conv']),
          node('Relu', ['conv'], ['relu']),
          node('Neg', ['conv'], ['aside']),
          node('GlobalAveragePool', ['relu'], ['pooled']),
          node('Flatten', ['pooled'], ['logits']),
          node('GlobalAveragePool', ['aside'], ['other']),
        ],
        constants: new Map([['kernel', floatConstant([1, -1, 0.5, 0.3, 0.2, -0.7, -0.4, 0.9, 0.1], [3, 3, 1, 1])]]),
      }),
    )
  })
  afterAll(() => model.dispose())

  it.each(BY_GRADIENT)('has no gradient for $id, which refuses it with the reason', async (method) => {
    await expect(runImageMethod(method, model, { params: { layer: 'aside' } })).rejects.toMatchObject({
      code: 'NOT_DIFFERENTIABLE',
      userMessage: expect.stringContaining('does not depend on it smoothly'),
    })
    expect((await runImageMethod(method, model, { params: { layer: 'relu' } })).layer).toBe('relu')
  })

  it.each(WITHOUT)('$id has a map of it', async (method) => {
    const found = await runImageMethod(method, model, { params: { layer: 'aside' } })
    expect(found.map.data.every(Number.isFinite)).toBe(true)
    // What is taken out of it changes no score.
    if (method.id === 'ablation-cam') expect(codes(found)).toContain('CONSTANT_MAP')
  })
})
