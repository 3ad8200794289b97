import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { floatConstant } from '../../../../lib/engine/onnx/graph/constant.ts'
import { DataType } from '../../../../lib/engine/onnx/graph/graph.ts'
import { craft } from '../../../../lib/methods/image/craft.ts'
import { cropsOf, resampled } from '../../../../lib/methods/image/shared/resampling.ts'
import { given } from '../../../../lib/engine/formula.ts'
import { interpret } from '../../../../lib/engine/interpret.ts'
import { float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { graphOf, loadGraph, node } from '../../../helpers/operator-model.ts'

const SIDE = 12
/** Red on the left, twice as strong below; green on the right; blue nowhere. */
const PICTURE = float32(
  Array.from({ length: 3 * SIDE * SIDE }, (_, at) => {
    const [channel, y, x] = [Math.floor(at / SIDE ** 2), Math.floor(at / SIDE) % SIDE, at % SIDE]
    if (channel === 0) return x < SIDE / 2 ? 1 + Number(y >= SIDE / 2) : 0
    return channel === 1 && x >= SIDE / 2 ? 1 : 0
  }),
  [1, 3, SIDE, SIDE],
)
let model: ExplainableModel

/** S_0 = 3 mean(red), S_1 = mean(red) - 2 mean(green), of a layer that holds the colours themselves. */
beforeAll(async () => {
  model = await loadGraph(
    graphOf({
      inputs: [{ name: 'input', type: DataType.float, shape: ['N', 3, SIDE, SIDE] }],
      outputs: ['logits'],
      nodes: [
        node('Relu', ['input'], ['colours']),
        node('GlobalAveragePool', ['colours'], ['pooled']),
        node('Flatten', ['pooled'], ['flat']),
        node('Gemm', ['flat', 'matrix'], ['logits']),
      ],
      constants: new Map([['matrix', floatConstant([3, 1, 0, -2, 0, 0], [3, 2])]]),
    }),
  )
})
afterAll(() => model.dispose())

const asked = (params: object, index = 0) =>
  runImageMethod(craft, model, {
    index,
    feeds: { input: PICTURE },
    params: { layer: 'colours', concepts: 2, crops: 5, samples: 400, ...params },
  })

describe('craft', () => {
  it('finds both colours, where they are, and that the score depends on one alone', async () => {
    const { map, diagnoses } = await asked({})
    map.data.forEach((value, at) => {
      const [y, x] = [Math.floor(at / SIDE), at % SIDE]
      // The importance of the only concept that counts is 1, its largest amount below.
      expect(Math.abs(value - (x < SIDE / 2 ? (y >= SIDE / 2 ? 1 : 0.5) : 0))).toBeLessThan(0.15)
    })
    expect(diagnoses[0]).toMatchObject({ code: 'CONCEPTS', severity: 'info' })
    expect(diagnoses[0]?.message).toMatch(/1: (9\d|1[01]\d) %, 2: 0 %\. Together they rebuild (100|99) %/)
  })

  it('draws one concept alone, in the order of importance', async () => {
    const [first, second] = [await asked({ concept: 1 }, 1), await asked({ concept: 2 }, 1)]
    // For class 1 green weighs 2 * 72 cells against red's 36 + 2 * 36, both in 144: it varies the score more.
    const at = (found: typeof first, x: number): number => found.map.data[(SIDE - 1) * SIDE + x] ?? NaN
    expect(at(first, SIDE - 1)).toBeCloseTo(1, 2)
    expect(at(first, 0)).toBeCloseTo(0, 2)
    expect(at(second, 0)).toBeCloseTo(1, 2)
    expect(at(second, SIDE - 1)).toBeCloseTo(0, 2)
  })

  it('says what the concepts miss, and that values below zero were left out', async () => {
    const one = await asked({ concepts: 1 })
    const kept = Number(/rebuild (\d+) %/.exec(one.diagnoses[0]?.message ?? '')?.[1])
    expect(kept).toBeLessThan(95)
    const feeds = { input: float32(PICTURE.data.map((value, at) => (at % 7 === 0 ? -1 : value)), PICTURE.dims) } // prettier-ignore
    const below = await runImageMethod(craft, model, { feeds, params: { layer: 'input', concepts: 2, samples: 8 } })
    expect(below.diagnoses[0]?.message).toContain('below zero were left out')
    expect(below.diagnoses[0]?.severity).toBe('warning')
  })

  it('another seed draws other points, the same one the same bytes', async () => {
    const run = (seed: number) =>
      runImageMethod(craft, model, { feeds: { input: PICTURE }, seed, params: { layer: 'colours', samples: 8 } })
    expect(await run(1)).toEqual(await run(1))
    expect((await run(2)).map.data).not.toEqual((await run(1)).map.data)
  })
})

it('a crop is its window enlarged by the middles of pixels', () => {
  const crops = cropsOf([6, 6], 2, 0.5)
  expect(crops.total).toBe(4)
  const picture = float32(Array.from({ length: 36 }, (_, at) => at), [1, 1, 6, 6]) // prettier-ignore
  const tensors: Record<string, FloatTensor> = { picture, ...crops.perRow({ first: 1, count: 2 }) }
  const { dims, data } = interpret(resampled(given('picture')), (leaf) => {
    const tensor = leaf.kind === 'given' ? tensors[leaf.name] : undefined
    if (tensor === undefined) throw new Error('not given')
    return tensor
  })
  expect(dims).toEqual([2, 1, 6, 6])
  // The upper right window of 3 x 3 pixels begins at 3; the lower left one at 18. Between its pixels it goes by quarters.
  expect(Array.from(data.subarray(0, 6))).toEqual([3, 3.25, 3.75, 4.25, 4.75, 5])
  expect(data[36]).toBe(18)
  expect(data[71]).toBe(32)
})
