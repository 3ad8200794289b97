/** Variants of known operators that have no gradient: the model loads and runs, and the error says what to do. */
import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import type { AppError } from '../../../../../lib/errors.ts'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
} from '../../../../../lib/engine/onnx/file/proto/onnx_pb.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'

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
    /ScatterElements \(the reduction "max" has no gradient rule; at y\).*layer behind it/,
  ],
  [
    'ScatterND min',
    scattering('ScatterND', 'min'),
    /ScatterND \(the reduction "min" has no gradient rule; at y\).*layer behind it/,
  ],
  [
    'Resize tf_crop_and_resize',
    cropping,
    /Resize \(the mode tf_crop_and_resize.*: export the model with half_pixel.*; at y\)/,
  ],
  ['Einsum with an extent of 1 widened', widening, /Einsum \("j" stands for extents of 1 and 3: expand/],
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
      expect(model.taps.find((tap) => tap.id === 'x')).toMatchObject({ differentiable: false })
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

const branch = (operator: string): Attribute => ({
  kind: 'raw',
  value: create(AttributeProtoSchema, {
    name: `${operator === 'Neg' ? 'then' : 'else'}_branch`,
    type: AttributeProto_AttributeType.GRAPH,
    g: { name: operator, node: [{ opType: operator, input: ['a'], output: ['out'] }], output: [{ name: 'out' }] },
  }),
})

describe('what no gradient passes is listed before the first rule runs', () => {
  const asked = async (
    nodes: readonly GraphNode[],
    dims: readonly number[],
    constants: readonly (readonly [string, Constant])[] = [],
  ): Promise<unknown> => {
    const inputs = [{ name: 'x', type: DataType.float, shape: dims }]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map(constants), opset: 23 }))
    try {
      const feeds = {
        x: float32(
          normals(
            dims.reduce((a, b) => a * b, 1),
            7,
          ),
          [...dims],
        ),
      }
      const { values } = await model.ask({ feeds, read: ['y'] })
      const y = values['y'] as FloatTensor
      const of = { y: float32(normals(y.data.length, 8), y.dims) }
      const refused: unknown = await model
        .ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })
        .catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'NOT_DIFFERENTIABLE' })
      const { operators } = (refused as AppError).details as { operators: readonly string[] }
      const reason = model.taps.find((tap) => tap.id === 'x')?.reason
      expect(reason).toBe(`No gradient rule for ${operators.join(', ')} between it and the output.`)
      return operators
    } finally {
      await model.dispose()
    }
  }
  test('operators and variants together, alike ones once', async () => {
    const max = { reduction: text('max') }
    const nodes = [
      node('ScatterElements', ['x', 'places', 'updates'], ['a'], max),
      node('ScatterElements', ['a', 'places', 'updates'], ['b'], max),
      node('Hardmax', ['b'], ['y']),
    ]
    expect(
      await asked(
        nodes,
        [4],
        [
          ['places', intConstant([1, 1, 2], [3])],
          ['updates', floatConstant([1, 2, 3], [3])],
        ],
      ),
    ).toEqual(['Hardmax', 'ScatterElements (the reduction "max" has no gradient rule; at a and 1 more)'])
  })
  test('an output that the rule takes no cotangent of', async () => {
    const nodes = [node('Attention', ['x', 'x', 'x'], ['', '', '', 'scores'], {}), node('Tanh', ['scores'], ['y'])].map(
      (one, index) => (index === 0 ? { ...one, outputs: ['values', '', '', 'scores'], name: 'attention' } : one),
    )
    expect(await asked(nodes, [1, 2, 3, 4])).toEqual(['Attention (its output 4 has no gradient rule; at attention)'])
  })
  test('a tensor that a branch reads from outside', async () => {
    const nodes = [
      node('Relu', ['x'], ['a']),
      node('ReduceSum', ['a'], ['sum'], { keepdims: { kind: 'int', value: 0 } }),
      node('Greater', ['sum', 'limit'], ['positive']),
      node('If', ['positive'], ['y'], { then_branch: branch('Neg'), else_branch: branch('Abs') }),
    ]
    expect(await asked(nodes, [4], [['limit', floatConstant([1], [])]])).toEqual(['If'])
  })
})

test('an input that the rule takes for a constant: an error, no zero', async () => {
  const model = await loadGraph(
    graphOf({
      nodes: [
        node('ReduceMax', ['x'], ['value'], { keepdims: { kind: 'int', value: 0 } }),
        node('Pad', ['x', 'pads', 'value'], ['y']),
      ],
      inputs: [{ name: 'x', type: DataType.float, shape: [4] }],
      outputs: ['y'],
      constants: new Map([['pads', intConstant([1, 1])]]),
    }),
  )
  const feeds = { x: float32([1, 2, 3, 4], [4]) }
  const of = { y: float32(new Float32Array(6).fill(1), [6]) }
  await expect(model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })).rejects.toMatchObject({
    code: 'NOT_DIFFERENTIABLE',
    message: expect.stringMatching(/y \(Pad\): its input 3 depends on/) as unknown,
    details: { operators: ['Pad'] },
  })
  await model.dispose()
})
