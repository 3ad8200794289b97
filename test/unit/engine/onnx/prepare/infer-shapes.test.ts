/** Shapes that move, told from those that only look alike in one run. */
import { afterEach, describe, expect, it } from 'vitest'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Dim, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import type { OnnxModel } from '../../../../../lib/engine/onnx/model/onnx-model.ts'
import { float32, int64, type Tensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'

const SIZE = 3
const table = floatConstant(normals(20 * SIZE, 1), [20, SIZE])
let model: OnnxModel | undefined
afterEach(() => model?.dispose())

const ids = (rows: number, tokens: number): Tensor =>
  int64(
    Array.from({ length: rows * tokens }, (_, at) => (at * 7) % 20),
    [rows, tokens],
  )

/** logits[n] = sum over tokens and features of (word position)^2, positions given as ids of their own. */
async function withPositions(words: readonly Dim[], positions: readonly Dim[]): Promise<OnnxModel> {
  const nodes: GraphNode[] = [
    node('Gather', ['table', 'ids'], ['word']),
    node('Gather', ['table', 'positions'], ['position']),
    node('Mul', ['word', 'position'], ['product']),
    node('Mul', ['product', 'product'], ['square']),
    node('ReduceSum', ['square', 'axis'], ['y'], { keepdims: { kind: 'int', value: 0 } }),
  ]
  const inputs = [
    { name: 'ids', type: DataType.int64, shape: words },
    { name: 'positions', type: DataType.int64, shape: positions },
  ]
  const constants = new Map([
    ['table', table],
    ['axis', intConstant([1])],
  ])
  return loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants }))
}

describe('ids that broadcast over the batch', () => {
  it.each([
    ['of names of their own', ['n', 't'], ['m', 't']],
    ['without names', [null, null], [null, null]],
    ['of one row by declaration', ['n', 't'], [1, 't']],
  ] as const)('%s: one row or as many as texts', async (_, words, positions) => {
    model = await withPositions(words, positions)
    const gradient = async (rows: number) => {
      const of = { y: float32(normals(3 * SIZE, 2), [3, SIZE]) }
      const feeds = { ids: ids(3, 4), positions: ids(rows, 4) }
      return (await model?.ask({ feeds, read: [], gradient: { of, wrt: ['position'] } }))?.gradients['position']
    }
    const one = await gradient(1)
    expect(one?.dims).toEqual([1, 4, SIZE])
    if (positions[0] === 1) return
    // Rows alike: their gradients add up to that of the one row.
    const of = { y: float32(normals(3 * SIZE, 2), [3, SIZE]) }
    const alike = int64(
      [...Array(3)].flatMap(() => Array.from(ids(1, 4).data, Number)),
      [3, 4],
    )
    const answer = await model.ask({
      feeds: { ids: ids(3, 4), positions: alike },
      read: [],
      gradient: { of, wrt: ['position'] },
    })
    const each = answer.gradients['position']?.data ?? []
    one?.data.forEach((value, at) =>
      expect(value).toBeCloseTo(
        [0, 1, 2].reduce((sum, row) => sum + (each[row * 4 * SIZE + at] ?? NaN), 0),
        4,
      ),
    )
  })

  it('of one name: refused where they differ, as the gradient takes them for one', async () => {
    model = await withPositions(['n', 't'], ['n', 't'])
    const of = { y: float32(normals(3 * SIZE, 2), [3, SIZE]) }
    const question = { feeds: { ids: ids(3, 4), positions: ids(1, 4) }, read: ['y'] }
    await expect(model.ask({ ...question, gradient: { of, wrt: ['position'] } })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/"n" of an extent of "ids" and of "positions", found 3 and 1/),
    })
    expect((await model.ask(question)).values['y']?.dims).toEqual([3, SIZE])
  })
})

it('an axis of at most five is not one of five', async () => {
  model = await loadGraph(
    graphOf({
      nodes: [
        node('Gather', ['table', 'ids'], ['word']),
        node('Slice', ['word', 'start', 'end', 'axis'], ['cut']),
        node('Mul', ['cut', 'cut'], ['square']),
        node('ReduceSum', ['square', 'axis'], ['y'], { keepdims: { kind: 'int', value: 0 } }),
      ],
      inputs: [{ name: 'ids', type: DataType.int64, shape: ['n', 't'] }],
      outputs: ['y'],
      constants: new Map([
        ['table', table],
        ['start', intConstant([0])],
        ['end', intConstant([5])],
        ['axis', intConstant([1])],
      ]),
    }),
  )
  for (const tokens of [3, 9]) {
    const of = { y: float32(normals(2 * SIZE, 2), [2, SIZE]) }
    const { gradients } = await model.ask({ feeds: { ids: ids(2, tokens) }, read: [], gradient: { of, wrt: ['word'] } })
    expect(gradients['word']?.dims).toEqual([2, tokens, SIZE])
    const behind = gradients['word']?.data.subarray(5 * SIZE, tokens * SIZE) ?? []
    expect(behind.every((value) => value === 0)).toBe(true)
  }
})

it('a picture of any height and width, without names, need not be a square', async () => {
  const kernel = floatConstant(normals(4 * 3 * 9, 3), [4, 3, 3, 3])
  model = await loadGraph(
    graphOf({
      nodes: [
        node('Conv', ['image', 'kernel'], ['map'], { pads: { kind: 'ints', value: [1, 1, 1, 1] } }),
        node('Relu', ['map'], ['open']),
        node('ReduceMean', ['open', 'axes'], ['y'], { keepdims: { kind: 'int', value: 0 } }),
      ],
      inputs: [{ name: 'image', type: DataType.float, shape: [null, 3, null, null] }],
      outputs: ['y'],
      constants: new Map([
        ['kernel', kernel],
        ['axes', intConstant([2, 3])],
      ]),
    }),
  )
  const image = float32(normals(2 * 3 * 4 * 6, 4), [2, 3, 4, 6])
  const of = { y: float32(normals(8, 5), [2, 4]) }
  const { gradients } = await model.ask({ feeds: { image }, read: [], gradient: { of, wrt: ['image', 'map'] } })
  expect(gradients['image']?.dims).toEqual([2, 3, 4, 6])
  expect(gradients['map']?.dims).toEqual([2, 4, 4, 6])
})
