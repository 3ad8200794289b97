/** Variants of known operators that have no gradient: the model loads and runs, and the error says what to do. */
import { describe, expect, test } from 'vitest'
import { floatConstant, intConstant } from '../../../../lib/engine/onnx/constant.ts'
import { DataType, type Constant, type GraphNode } from '../../../../lib/engine/onnx/graph.ts'
import { float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../helpers/operator-model.ts'
import { normals } from '../../../helpers/random.ts'

interface Case {
  readonly nodes: readonly GraphNode[]
  readonly dims: readonly number[]
  readonly constants: readonly (readonly [string, Constant])[]
  readonly domains?: readonly string[]
}

const text = (value: string): { kind: 'string'; value: string } => ({ kind: 'string', value })
const scattering = (operator: string, reduction: string): Case => ({
  nodes: [node(operator, ['x', 'places', 'updates'], ['y'], { reduction: text(reduction) })],
  dims: [4],
  constants: [
    ['places', intConstant([1, 1, 2], operator === 'ScatterND' ? [3, 1] : [3])],
    ['updates', floatConstant([1, 2, 3], [3])],
  ],
})
const past: Case = {
  nodes: [
    node('Relu', ['x'], ['before']),
    node(
      'Attention',
      ['before', 'weights', 'bias', '', 'past'],
      ['y', 'present'],
      { num_heads: { kind: 'int', value: 2 } },
      'com.microsoft',
    ),
  ],
  dims: [1, 3, 4],
  constants: [
    ['weights', floatConstant(normals(48, 1), [4, 12])],
    ['bias', floatConstant(normals(12, 2), [12])],
    ['past', floatConstant(normals(16, 3), [2, 1, 2, 2, 2])],
  ],
  domains: ['com.microsoft'],
}
const cropping: Case = {
  nodes: [
    node('Resize', ['x', 'region', '', 'sizes'], ['y'], {
      mode: text('linear'),
      coordinate_transformation_mode: text('tf_crop_and_resize'),
    }),
  ],
  dims: [1, 1, 4, 4],
  constants: [
    ['region', floatConstant([0, 0, 0.1, 0.1, 1, 1, 0.9, 0.9], [8])],
    ['sizes', intConstant([1, 1, 3, 3])],
  ],
}
const widening: Case = {
  nodes: [node('Einsum', ['x', 'w'], ['y'], { equation: text('ij,jk->ik') })],
  dims: [2, 1],
  constants: [['w', floatConstant(normals(12, 1), [3, 4])]],
}

const CASES: readonly (readonly [string, Case, RegExp])[] = [
  [
    'ScatterElements max',
    scattering('ScatterElements', 'max'),
    /y \(ScatterElements\): the reduction "max".*layer behind it/,
  ],
  ['ScatterND min', scattering('ScatterND', 'min'), /y \(ScatterND\): the reduction "min".*layer behind it/],
  ['Resize tf_crop_and_resize', cropping, /y \(Resize\): .*tf_crop_and_resize.*Export the model with half_pixel/],
  ['Einsum with an extent of 1 widened', widening, /y \(Einsum\): "j" stands for extents of 1 and 3. Expand/],
  ['Attention with a past', past, /com.microsoft:Attention \(with a past: export the model without a cache/],
]

describe.each(CASES)('%s', (_, { nodes, dims, constants, domains = [] }, words) => {
  test('runs, and its gradient is refused with a reason', async () => {
    const inputs = [{ name: 'x', type: DataType.float, shape: dims }]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map(constants), domains }))
    try {
      const size = dims.reduce((product, dim) => product * dim, 1)
      const feeds = { x: float32(normals(size, 7), [...dims]) }
      const { values } = await model.ask({ feeds, read: ['y'] })
      const y = values['y'] as FloatTensor
      expect(y.data.every(Number.isFinite)).toBe(true)
      const of = { y: float32(normals(y.data.length, 8), y.dims) }
      await expect(model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })).rejects.toMatchObject({
        code: 'NOT_DIFFERENTIABLE',
        message: expect.stringMatching(words) as unknown,
      })
    } finally {
      await model.dispose()
    }
  })
})

test('a tap before an attention with a past says why it has no gradient', async () => {
  const inputs = [{ name: 'x', type: DataType.float, shape: past.dims }]
  const model = await loadGraph(
    graphOf({
      nodes: past.nodes,
      inputs,
      outputs: ['y'],
      constants: new Map(past.constants),
      domains: ['com.microsoft'],
    }),
  )
  await model.dispose()
  expect(model.taps.find((tap) => tap.id === 'before')).toMatchObject({
    differentiable: false,
    reason: expect.stringMatching(/with a past/) as unknown,
  })
})
