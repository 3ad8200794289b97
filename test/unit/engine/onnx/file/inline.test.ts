/** Models with functions of their own are the models with those written out. */
import { create, toBinary } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { readModel } from '../../../../../lib/engine/onnx/file/read-model.ts'
import type { Graph } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { DataType } from '../../../../../lib/engine/onnx/graph/graph.ts'
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type FunctionProto,
  type NodeProto,
  type ValueInfoProto,
} from '../../../../../lib/engine/onnx/file/proto/onnx_pb.ts'
import { float32, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { loadGraph } from '../../../../helpers/operator-model.ts'

const DOMAIN = 'pkg.test'
const importing = (domain: string, version: number): ReturnType<typeof create<typeof OperatorSetIdProtoSchema>> =>
  create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) })

function float(name: string, value: number): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value })
}
function reference(name: string, refAttrName: string): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, refAttrName })
}
function op(
  opType: string,
  input: string[],
  output: string[],
  attribute: AttributeProto[] = [],
  domain = '',
  name = '',
): NodeProto {
  return create(NodeProtoSchema, { opType, input, output, attribute, domain, name })
}
const call = (name: string, input: string[], output: string[], attribute: AttributeProto[] = []): NodeProto =>
  op(name, input, output, attribute, DOMAIN, `call_${output[0] ?? ''}`)

interface Function {
  readonly name: string
  readonly input: string[]
  readonly output: string[]
  readonly node: NodeProto[]
  readonly attribute?: string[]
  readonly attributeProto?: AttributeProto[]
  readonly opset?: number
}
function functionOf({ opset = 18, ...one }: Function): FunctionProto {
  return create(FunctionProtoSchema, {
    ...one,
    domain: DOMAIN,
    opsetImport: [importing('', opset), importing(DOMAIN, 1)],
  })
}

function vector(name: string): ValueInfoProto {
  const dim = [create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: 3n } })]
  const value = create(TypeProto_TensorSchema, {
    elemType: DataType.float,
    shape: create(TensorShapeProtoSchema, { dim }),
  })
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  })
}

/** x [3] -> y [3] */
function read(node: NodeProto[], functions: Function[]): Promise<Graph> {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [importing('', 18), importing(DOMAIN, 1)],
    graph: create(GraphProtoSchema, { name: 'test', node, input: [vector('x')], output: [vector('y')] }),
    functions: functions.map(functionOf),
  })
  return readModel(toBinary(ModelProtoSchema, model))
}

const operators = (graph: Graph): string[] => graph.nodes.map((one) => one.operator)

async function gradientOf(graph: Graph, x: readonly number[]): Promise<{ y: number[]; gradient: number[] }> {
  const model = await loadGraph(graph)
  const of = { y: float32([1, 2, 3], [3]) }
  const feeds = { x: float32([...x], [3]) }
  const { values, gradients } = await model.ask({ feeds, read: ['y'], gradient: { of, wrt: ['x'] } })
  await model.dispose()
  return { y: [...(values['y'] as FloatTensor).data], gradient: [...(gradients['x'] as FloatTensor).data] }
}

/** max(a x, x) with the slope `alpha`, 0.5 where the call gives none. */
const leaky: Function = {
  name: 'Leaky',
  input: ['in'],
  output: ['out'],
  attributeProto: [float('slope', 0.5)],
  node: [op('LeakyRelu', ['in'], ['t'], [reference('alpha', 'slope')]), op('Identity', ['t'], ['out'])],
}
const twice: Function = {
  name: 'Twice',
  input: ['a'],
  output: ['b'],
  attribute: ['slope'],
  node: [call('Leaky', ['a'], ['t'], [reference('slope', 'slope')]), call('Leaky', ['t'], ['b'])],
}

test('each call has its own names and attributes; defaults fill in; inner functions too', async () => {
  // -1 -> -0.25 -> -0.125 in the first call; then -> -0.0625
  const graph = await read(
    [call('Twice', ['x'], ['t'], [float('slope', 0.25)]), call('Leaky', ['t'], ['y'])],
    [twice, leaky],
  )
  expect(operators(graph)).toEqual(['LeakyRelu', 'Identity', 'LeakyRelu', 'Identity', 'LeakyRelu', 'Identity'])
  const outputs = graph.nodes.flatMap((one) => one.outputs)
  expect(new Set(outputs).size).toBe(outputs.length)
  expect([...graph.opsets]).toEqual([['', 18]])
  expect(await gradientOf(graph, [-1, 1, -2])).toEqual({ y: [-0.0625, 1, -0.125], gradient: [0.0625, 2, 0.1875] })
})

test('a name of the graph that a function’s name would meet is kept apart', async () => {
  const graph = await read([op('Neg', ['x'], ['y/t']), call('Leaky', ['y/t'], ['y'])], [leaky])
  expect(await gradientOf(graph, [-1, 1, -2])).toEqual({ y: [1, -0.5, 2], gradient: [-1, -1, -3] })
})

test('gaps: inputs left out, outputs nobody wants, inputs handed on, outputs named twice', async () => {
  const many: Function = {
    name: 'Many',
    input: ['a', 'low', 'high'],
    output: ['clipped', 'a', 'clipped', 'unused'],
    node: [op('Clip', ['a', 'low', 'high'], ['clipped']), op('Exp', ['a'], ['unused'])],
  }
  const graph = await read(
    [
      op('Constant', [], ['one'], [float('value_float', 1)]),
      call('Many', ['x', '', 'one'], ['first', 'same', 'second', '']),
      op('Add', ['first', 'same'], ['sum']),
      op('Add', ['sum', 'second'], ['y']),
    ],
    [many],
  )
  expect(await gradientOf(graph, [-1, 0.5, 3])).toEqual({ y: [-3, 1.5, 5], gradient: [3, 6, 3] })
})

test('an attribute that neither call nor function gives is left out', async () => {
  const graph = await read(
    [call('Twice', ['x'], ['y'])],
    [twice, { ...leaky, attributeProto: [], attribute: ['slope'] }],
  )
  // The operator's own default, 0.01, twice.
  expect((await gradientOf(graph, [-1, 1, -2])).gradient.map((one) => one.toFixed(6))).toEqual([
    '0.000100',
    '2.000000',
    '0.000300',
  ])
})

test('subgraphs within a function read its names', async () => {
  const branch = (operator: string): ReturnType<typeof create<typeof GraphProtoSchema>> =>
    create(GraphProtoSchema, { name: operator, node: [op(operator, ['in'], ['r'])], output: [vector('r')] })
  const choice = (name: string, operator: string): AttributeProto =>
    create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: branch(operator) })
  const conditional: Function = {
    name: 'Conditional',
    input: ['in'],
    output: ['out'],
    node: [
      op(
        'ReduceSum',
        ['in'],
        ['total'],
        [create(AttributeProtoSchema, { name: 'keepdims', type: AttributeType.INT, i: 0n })],
      ),
      op('Constant', [], ['zero'], [float('value_float', 0)]),
      op('Greater', ['total', 'zero'], ['positive']),
      op('If', ['positive'], ['out'], [choice('then_branch', 'Neg'), choice('else_branch', 'Abs')]),
    ],
  }
  const graph = await read([op('Tanh', ['x'], ['t']), call('Conditional', ['t'], ['y'])], [conditional])
  expect(new Set(graph.nodes.find((one) => one.operator === 'If')?.captures)).toEqual(new Set(['t']))
  const model = await loadGraph(graph)
  const { values } = await model.ask({ feeds: { x: float32([1, 1, -1], [3]) }, read: ['y'] })
  await model.dispose()
  expect([...(values['y'] as FloatTensor).data].map(Math.sign)).toEqual([-1, -1, 1])
})

describe('refused', () => {
  test('a function that calls itself, by way of another', async () => {
    const one: Function = { name: 'One', input: ['a'], output: ['b'], node: [call('Two', ['a'], ['b'])] }
    const two: Function = { name: 'Two', input: ['a'], output: ['b'], node: [call('One', ['a'], ['b'])] }
    await expect(read([call('One', ['x'], ['y'])], [one, two])).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/One calls itself/) as unknown,
    })
  })
  test('functions that unfold into 10^12 operators', async () => {
    const levels = Array.from({ length: 12 }, (_, level): Function => {
      const node = Array.from({ length: 10 }, (_, at) => {
        const [from, to] = [at === 0 ? 'a' : `t${at}`, at === 9 ? 'b' : `t${at + 1}`]
        return level === 0 ? op('Neg', [from], [to]) : call(`Level${level - 1}`, [from], [to])
      })
      return { name: `Level${level}`, input: ['a'], output: ['b'], node }
    })
    await expect(read([call('Level11', ['x'], ['y'])], levels)).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/200,000 operators/) as unknown,
    })
  })
  test('a chain of functions deeper than any stack', async () => {
    const chain = Array.from({ length: 1_000 }, (_, at): Function => {
      return { name: `F${at}`, input: ['a'], output: ['b'], node: [call(`F${at + 1}`, ['a'], ['b'])] }
    })
    // Called from its end, each function is measured before the one that calls it.
    const calls = chain.map((one) => call(one.name, ['x'], [`y${one.name}`])).toReversed()
    for (const list of [[call('F0', ['x'], ['y'])], calls])
      await expect(read(list, chain)).rejects.toMatchObject({
        code: 'BAD_MODEL',
        message: expect.stringMatching(/more than 100 deep/) as unknown,
      })
  })
  test('ninety thousand calls that want one name', async () => {
    const one: Function = { name: 'One', input: ['a'], output: ['b'], node: [op('Neg', ['a'], ['b'])] }
    const calls = Array.from({ length: 90_000 }, () => op('One', ['x'], [], [], DOMAIN))
    const begun = performance.now()
    await expect(read([...calls, call('One', ['x'], ['y'])], [one])).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/90,001 operators/) as unknown,
    })
    // Minutes, where each name is looked for from the start.
    expect(performance.now() - begun).toBeLessThan(20_000)
  }, 60_000)
  test('names that fill the memory when they are joined', async () => {
    const name = 'n'.repeat(5000)
    const one: Function = {
      name: 'One',
      input: ['a'],
      output: ['b'],
      node: [op('Neg', ['a'], [name]), op('Neg', [name], ['b'])],
    }
    await expect(read([call('One', ['x'], ['y'])], [one])).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/name .* has 5002 characters/) as unknown,
    })
  })
  test('a function written in another operator set', async () => {
    await expect(read([call('Leaky', ['x'], ['y'])], [{ ...leaky, opset: 11 }])).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/Leaky uses version 11 of the operators ai.onnx, the model 18/) as unknown,
    })
  })
})
