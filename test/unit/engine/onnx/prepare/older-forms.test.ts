/** Forms of operators that old exporters write and newer ones do not. */
import { create } from '@bufbuild/protobuf'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant, type GraphNode } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
} from '../../../../../lib/engine/onnx/file/proto/onnx_pb.ts'
import { upgrade } from '../../../../../lib/engine/onnx/prepare/upgrade.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'
import { float32, sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { checkGradient } from '../../../../helpers/check-gradient.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'
import { FINITE_DIFFERENCE, FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const x = float32([1, -2, 3, 4], [1, 4])
const ratio = { ratio: { kind: 'float', value: 0.5 } } as const
const inputs = [{ name: 'x', type: DataType.float, shape: ['n', 4] }]

describe('Dropout with a mask', () => {
  it.each([7, 9, 10, 11])('of set %i, which nobody reads: passes on', async (opset) => {
    const nodes = [node('Relu', ['x'], ['r']), node('Dropout', ['r'], ['d', 'mask'], ratio), node('Exp', ['d'], ['y'])]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map(), opset }))
    const of = { y: float32([1, 1, 1, 1], [1, 4]) }
    const { values, gradients } = await model.ask({ feeds: { x }, read: ['r', 'd'], gradient: { of, wrt: ['x'] } })
    expect(values['d']).toEqual(values['r'])
    expect([...(gradients['x']?.data ?? [])].map((one) => Math.round(one * 10) / 10)).toEqual([2.7, 0, 20.1, 54.6])
    await model.dispose()
  })

  it.each([
    [7, [node('Mul', ['d', 'mask'], ['y'])]],
    [10, [node('Cast', ['mask'], ['kept'], { to: { kind: 'int', value: 1 } }), node('Mul', ['d', 'kept'], ['y'])]],
  ] as const)('of set %i, which is read: all ones, in the type of its set', async (opset, readers) => {
    const nodes = [node('Dropout', ['x'], ['d', 'mask'], ratio), ...readers]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map(), opset }))
    const { values } = await model.ask({ feeds: { x }, read: ['y'] })
    expect([...(values['y']?.data ?? [])]).toEqual([1, -2, 3, 4])
    await model.dispose()
  })
})

describe('refused when it is loaded, saying why', () => {
  const load = async (graph: Parameters<typeof graphOf>[0]): Promise<unknown> => {
    const folder = await mkdtemp(join(tmpdir(), 'limelight-forms-'))
    try {
      await writeFile(join(folder, 'model.onnx'), writeModel(graphOf(graph)))
      return await loadOnnxModel(join(folder, 'model.onnx'))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  it('an input of bytes that something reads before it is made floats', async () => {
    const bytes = [{ name: 'image', type: DataType.uint8, shape: ['n', 3, 8, 8] }]
    const nodes = [node('Max', ['image'], ['most']), node('Cast', ['most'], ['y'], { to: { kind: 'int', value: 1 } })]
    await expect(load({ nodes, inputs: bytes, outputs: ['y'], constants: new Map() })).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/input "image" takes uint8/),
    })
  })
  it('an output that is a weight', async () => {
    const constants = new Map([['w', floatConstant([1, 2], [1, 2])]])
    const nodes = [node('Relu', ['x'], ['unused'])]
    await expect(load({ nodes, inputs, outputs: ['w'], constants })).rejects.toMatchObject({ code: 'BAD_MODEL' })
  })
})

describe('a question whose answer is given with it', () => {
  it('computes nothing', async () => {
    const nodes = [node('Relu', ['x'], ['r']), node('Exp', ['r'], ['y'])]
    const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants: new Map() }))
    const r = float32([5, 6, 7, 8], [1, 4])
    expect((await model.ask({ feeds: { x }, read: ['x'] })).values['x']).toEqual(x)
    expect((await model.ask({ from: { r }, read: ['r'] })).values['r']).toEqual(r)
    expect((await model.ask({ from: { y: r }, read: ['y'] })).values['y']).toEqual(r)
    expect(model.compiledQuestions).toBe(0)
    await expect(model.ask({ feeds: { x: float32([1], [1, 1]) }, read: ['x'] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
    await model.dispose()
  })
})

/** One node of an older set, reading `x` [2, 3, 5, 5] and constants, making `y`. */
interface OldForm {
  readonly opset: number
  readonly nodes: readonly GraphNode[]
  readonly constants?: Readonly<Record<string, Constant>>
}

const floatsAt = (seed: number, dims: readonly number[]): Constant => floatConstant(normals(sizeOf(dims), seed), dims)
const scales = (...values: number[]): { s: Constant } => ({ s: floatConstant(values, [values.length]) })
const intsOfForm = (...value: number[]): Attribute => ({ kind: 'ints', value })
const LAST = Number(2n ** 63n - 1n)
const unnamed = (one: GraphNode): GraphNode => ({ ...one, name: '' })
const EACH_PLACE = {
  scale: floatsAt(1, [3, 5, 5]),
  bias: floatsAt(2, [3, 5, 5]),
  mean: floatsAt(3, [3, 5, 5]),
  variance: floatConstant(
    normals(75, 4).map((one) => Math.abs(one) + 0.5),
    [3, 5, 5],
  ),
}

const OLD_FORMS: Readonly<Record<string, OldForm>> = {
  'Resize that shrinks to the nearest': {
    opset: 10,
    nodes: [node('Resize', ['x', 's'], ['y'])],
    constants: scales(1, 1, 0.4, 0.7),
  },
  'Resize that grows one axis and shrinks another': {
    opset: 10,
    nodes: [node('Resize', ['x', 's'], ['y'])],
    constants: scales(1, 1, 1.7, 0.7),
  },
  'Slice to the end': {
    opset: 9,
    nodes: [node('Slice', ['x'], ['y'], { starts: intsOfForm(-2), ends: intsOfForm(LAST), axes: intsOfForm(-1) })],
  },
  'BatchNormalization of each place': {
    opset: 7,
    nodes: [
      node('BatchNormalization', ['x', 'scale', 'bias', 'mean', 'variance'], ['y'], {
        spatial: { kind: 'int', value: 0 },
      }),
    ],
    constants: EACH_PLACE,
  },
  'two Softmaxes over several axes, without names': {
    opset: 11,
    nodes: [node('Softmax', ['x'], ['a']), node('Mul', ['a', 'x'], ['b']), node('Softmax', ['b'], ['y'])].map(unnamed),
  },
}

describe.each(Object.entries(OLD_FORMS))('%s', (_, { opset, nodes, constants = {} }) => {
  const image = float32(normals(150, 9), [2, 3, 5, 5])
  it.each([
    ['fixed', [2, 3, 5, 5]],
    ['symbolic', ['n', 3, 'h', 'w']],
  ] as const)('is what the runtime makes of the file, %s extents', async (extents, shape) => {
    const graph = graphOf({
      nodes,
      inputs: [{ name: 'x', type: DataType.float, shape }],
      outputs: ['y'],
      constants: new Map(Object.entries(constants)),
      opset,
    })
    const session = await InferenceSession.create(writeModel(graph), { intraOpNumThreads: 1 })
    const expected = (await session.run({ x: new RuntimeTensor('float32', image.data, image.dims) }))['y']
    await session.release()
    const model = await loadGraph(graph)
    const { values } = await model.ask({ feeds: { x: image }, read: ['y'] })
    expect(values['y']?.dims, extents).toEqual(expected?.dims)
    expect(relativeDifference((values['y'] as FloatTensor).data, expected?.data as Float32Array)).toBeLessThan(FLOAT32)
    const of = { y: float32(normals(sizeOf(expected?.dims ?? []), 11), expected?.dims ?? []) }
    expect((await checkGradient(model, { x: image }, ['x'], of)).error).toBeLessThan(FINITE_DIFFERENCE)
    await model.dispose()
  })
})

describe('a normalisation in training form is refused: its rows depend on each other', () => {
  const vector = floatConstant([1, 1, 1, 1], [4])
  const constants = new Map(['s', 'b', 'm', 'v'].map((name) => [name, vector]))
  it.each([
    [9, ['y', 'm2', 'v2', 'm3', 'v3'], {}],
    [15, ['y', 'm2', 'v2'], { training_mode: { kind: 'int', value: 1 } }],
  ] as const)('of set %i', async (opset, outputs, attributes) => {
    const nodes = [node('BatchNormalization', ['x', 's', 'b', 'm', 'v'], outputs, attributes)]
    await expect(loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants, opset }))).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringContaining('y (BatchNormalization) is in its training form'),
    })
  })
})

it('older forms inside the branches of an If are refused by name', () => {
  const branch = (operator: string, attribute: AttributeProto[]): GraphProto =>
    create(GraphProtoSchema, {
      name: operator,
      node: [create(NodeProtoSchema, { opType: operator, input: ['x'], output: ['z'], attribute })],
      output: [create(ValueInfoProtoSchema, { name: 'z' })],
    })
  const graphAttribute = (name: string, g: GraphProto): Attribute => ({
    kind: 'raw',
    value: create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g }),
  })
  const axes = create(AttributeProtoSchema, { name: 'axes', type: AttributeType.INTS, ints: [0n] })
  const branches = {
    then_branch: graphAttribute('then_branch', branch('Squeeze', [axes])),
    else_branch: graphAttribute('else_branch', branch('Identity', [])),
  }
  const given = [...inputs, { name: 'c', type: DataType.bool, shape: [] }]
  const graph = graphOf({
    nodes: [node('If', ['c'], ['y'], branches)],
    inputs: given,
    outputs: ['y'],
    constants: new Map(),
  })
  expect(() => upgrade({ ...graph, opsets: new Map([['', 11]]) })).toThrow(
    'y (If) holds the operator Squeeze in its form of operator set 11',
  )
  expect(() => upgrade({ ...graph, opsets: new Map([['', 13]]) })).not.toThrow()
})
