/** Half-precision and double models are the float32 networks on their weights: to the last byte. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readNetwork } from '../../../../../bench/networks/network.ts'
import { floatConstant, floatsOf, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType, type Attribute, type Constant, type Graph } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { prepareGraph } from '../../../../../lib/engine/onnx/prepare/prepare-graph.ts'
import { readModel } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { precisionNote, widen } from '../../../../../lib/engine/onnx/prepare/widen.ts'
import { float32, type FloatTensor, type Tensor } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'

/** The nearest float16 (ties to even), as its bits. */
function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  const even = (x: number): number => {
    const floor = Math.floor(x)
    if (x - floor !== 0.5) return Math.round(x)
    return floor % 2 === 0 ? floor : floor + 1
  }
  if (size < 2 ** -14) return sign | even(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  // A fraction that rounds up to 1024 carries into the exponent by itself.
  return sign | (((exponent + 15) << 10) + even((size / 2 ** exponent - 1) * 1024))
}

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
const STORED: Readonly<Record<number, (values: Float32Array) => Uint8Array>> = {
  [DataType.float16]: (values) => bytesOf(Uint16Array.from(values, toHalf)),
  [DataType.bfloat16]: (values) =>
    bytesOf(Uint16Array.from(new Uint32Array(values.slice().buffer), (bits) => bits >>> 16)),
  [DataType.double]: (values) => bytesOf(Float64Array.from(values)),
}

function stored(constant: Constant, type: number): Constant {
  const write = STORED[type]
  return constant.type === DataType.float && write
    ? { type, dims: constant.dims, bytes: write(floatsOf(constant)) }
    : constant
}

/** What a converter makes of a float32 graph: every float tensor of another type; with `keep`, inputs and outputs stay. */
function inType(graph: Graph, type: number, keep: boolean): Graph {
  const one = (given: number): number => (given === DataType.float ? type : given)
  const attribute = (name: string, value: Attribute): Attribute => {
    if (value.kind === 'tensor') return { kind: 'tensor', value: stored(value.value, type) }
    return value.kind === 'int' && ['to', 'dtype'].includes(name) ? { kind: 'int', value: one(value.value) } : value
  }
  const outer = new Map<string, string>()
  const before = []
  const after = []
  if (keep) {
    for (const info of graph.inputs)
      if (info.type === DataType.float) {
        outer.set(info.name, `${info.name}/cast`)
        before.push(node('Cast', [info.name], [`${info.name}/cast`], { to: { kind: 'int', value: type } }))
      }
    for (const { name } of graph.outputs) {
      outer.set(name, `${name}/cast`)
      after.push(node('Cast', [`${name}/cast`], [name], { to: { kind: 'int', value: DataType.float } }))
    }
  }
  const rename = (name: string): string => outer.get(name) ?? name
  const info = (given: Graph['inputs'][number]): Graph['inputs'][number] => ({ ...given, type: one(given.type) })
  const inner = graph.nodes.map((each) => ({
    ...each,
    inputs: each.inputs.map(rename),
    outputs: each.outputs.map(rename),
    attributes: Object.fromEntries(
      Object.entries(each.attributes).map(([name, value]) => [name, attribute(name, value)]),
    ),
  }))
  const values = [...graph.values.values()].map((each) => ({ ...info(each), name: rename(each.name) }))
  return {
    ...graph,
    nodes: [...before, ...inner, ...after],
    inputs: keep ? graph.inputs : graph.inputs.map(info),
    outputs: keep ? graph.outputs : graph.outputs.map(info),
    constants: new Map([...graph.constants].map(([name, constant]) => [name, stored(constant, type)])),
    values: new Map(
      (keep ? [...values, ...graph.inputs, ...graph.outputs] : values).map((each) => [each.name, each] as const),
    ),
  }
}

/** The float32 network whose weights are rounded to what the type can hold. */
function rounded(graph: Graph, type: number): Graph {
  const back = (constant: Constant): Constant =>
    constant.type === DataType.float ? floatConstant(floatsOf(stored(constant, type)), constant.dims) : constant
  return { ...graph, constants: new Map([...graph.constants].map(([name, constant]) => [name, back(constant)])) }
}

const FOLDER = new URL('../../../../fixtures/networks/', import.meta.url)
const TYPES = [
  ['float16', DataType.float16],
  ['bfloat16', DataType.bfloat16],
  ['float64', DataType.double],
] as const

describe.each(['mobilenet-v2', 'bert', 'deberta-v3', 'swin'])('%s', (stem) => {
  test.each(TYPES)('%s: values and gradients have the bytes of the float32 network on its weights', async (_, type) => {
    const network = await readNetwork(FOLDER.pathname, stem)
    if ('refused' in network) throw new Error(network.refused)
    const graph = await readModel(readFileSync(network.path))
    const ask = async (given: Graph): Promise<{ bytes: Buffer[]; taps: string[] }> => {
      const model = await loadGraph(given)
      try {
        const wrt = network.questions.map((one) => one.tap)
        const { values, gradients } = await model.ask({
          feeds: network.feeds,
          read: ['logits'],
          gradient: { of: { logits: network.cotangent }, wrt },
        })
        const answers = [values['logits'], ...wrt.map((tap) => gradients[tap])]
        return {
          bytes: answers.map((one) => Buffer.from(bytesOf((one as FloatTensor).data))),
          taps: model.taps.map((tap) => `${tap.id} ${tap.kind} ${tap.shape.join()} ${tap.differentiable}`),
        }
      } finally {
        await model.dispose()
      }
    }
    const expected = await ask(rounded(graph, type))
    expect(expected.bytes[1]?.some((byte) => byte !== 0)).toBe(true)
    for (const keep of [false, true]) {
      const found = await ask(inType(graph, type, keep))
      expect(found.taps, `keep ${keep}`).toEqual(expected.taps)
      for (const [index, bytes] of found.bytes.entries())
        expect(bytes.equals(expected.bytes[index] as Buffer), `keep ${keep}, answer ${index}`).toBe(true)
    }
  })
})

test('every number that float16 has is itself again', () => {
  const bits = Uint16Array.from({ length: 0x10000 }, (_, one) => one)
  const values = floatsOf({ type: DataType.float16, dims: [0x10000], bytes: bytesOf(bits) })
  const again = Uint16Array.from(values, toHalf)
  const wrong = bits.filter((one, index) => one !== again[index] && !Number.isNaN(values[index]))
  expect([...wrong]).toEqual([])
  expect([0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00].map((one) => values[one])).toEqual([
    1,
    -2,
    2 ** -24,
    65504,
    -Infinity,
  ])
})

const half = (values: readonly number[], dims: readonly number[]): Constant =>
  stored(floatConstant(values, dims), DataType.float16)
const to = (type: number): Record<string, Attribute> => ({ to: { kind: 'int', value: type } })
const inputs = (type: number, shape: readonly (number | string)[]): Graph['inputs'] => [{ name: 'x', type, shape }]

test('types named by attributes: casts, filled and identity matrices', async () => {
  // y = x I + [fill, fill] where x > 0, cast through half and back
  const nodes = [
    node('Shape', ['x'], ['shape']),
    node('ConstantOfShape', ['shape'], ['fill'], { value: { kind: 'tensor', value: half([0.1], [1]) } }),
    node('EyeLike', ['square'], ['eye'], { dtype: { kind: 'int', value: DataType.float16 } }),
    node('MatMul', ['x', 'eye'], ['same']),
    node('Greater', ['x', 'zero'], ['above']),
    node('Cast', ['above'], ['mask'], to(DataType.float16)),
    node('Mul', ['fill', 'mask'], ['added']),
    node('Add', ['same', 'added'], ['sum']),
    node('Cast', ['sum'], ['y'], to(DataType.float)),
  ]
  const constants = new Map([
    ['square', intConstant([0, 0, 0, 0], [2, 2])],
    ['zero', half([0], [])],
  ])
  const graph = graphOf({ nodes, inputs: inputs(DataType.float16, ['N', 2]), outputs: ['y'], constants })
  const model = await loadGraph(graph)
  const x = float32([1, -2, 3, -4], [2, 2])
  const of = { y: float32([1, 2, 3, 4], [2, 2]) }
  const { values, gradients } = await model.ask({ feeds: { x }, read: ['y'], gradient: { of, wrt: ['x'] } })
  await model.dispose()
  const tenth = floatsOf(half([0.1], [1]))[0] ?? NaN
  expect([...(values['y'] as FloatTensor).data]).toEqual([1 + tenth, -2, 3 + tenth, -4].map(Math.fround))
  expect([...(gradients['x'] as FloatTensor).data]).toEqual([1, 2, 3, 4])
})

test('the lowest double masks without making NaN of a row that is masked altogether', async () => {
  const lowest = { type: DataType.double, dims: [], bytes: bytesOf(Float64Array.from([-Number.MAX_VALUE])) }
  const nodes = [
    node('Cast', ['x'], ['wide'], to(DataType.double)),
    node('Where', ['mask', 'wide', 'lowest'], ['masked']),
    node('Softmax', ['masked'], ['shares'], { axis: { kind: 'int', value: -1 } }),
    node('Cast', ['shares'], ['y'], to(DataType.float)),
  ]
  const mask = { name: 'mask', type: DataType.bool, shape: [2, 2] }
  const graph = graphOf({
    nodes,
    inputs: [...inputs(DataType.float, [2, 2]), mask],
    outputs: ['y'],
    constants: new Map([['lowest', lowest]]),
  })
  const model = await loadGraph(graph)
  const feeds: Record<string, Tensor> = {
    x: float32([1, 2, 3, 3], [2, 2]),
    mask: { type: 'bool', dims: [2, 2], data: Uint8Array.from([0, 0, 1, 1]) },
  }
  const { values } = await model.ask({ feeds, read: ['y'] })
  await model.dispose()
  expect([...(values['y'] as FloatTensor).data]).toEqual([0.5, 0.5, 0.5, 0.5])
})

describe('what is said of it', () => {
  const weights = normals(4, 1)
  const product = (
    type: number,
    constants: Map<string, Constant>,
    nodes = [node('MatMul', ['x', 'w'], ['y'])],
  ): Graph => graphOf({ nodes, inputs: inputs(type, [1, 2]), outputs: ['y'], constants })

  test.each(TYPES)('%s', async (name, type) => {
    const constants = new Map([['w', stored(floatConstant(weights, [2, 2]), type)]])
    expect(precisionNote(await prepareGraph(product(type, constants)))).toBe(
      `The model’s ${name} tensors are computed in float32.`,
    )
  })
  test('nothing of a float32 model, even where its weights are stored in half precision', async () => {
    const cast = [node('Cast', ['w'], ['wide'], to(DataType.float)), node('MatMul', ['x', 'wide'], ['y'])]
    const constants = new Map([['w', half([...weights], [2, 2])]])
    for (const graph of [
      product(DataType.float, constants, cast),
      product(DataType.float, new Map([['w', floatConstant(weights, [2, 2])]])),
    ]) {
      expect(widen(graph)).toBe(graph)
      expect(precisionNote(await prepareGraph(graph))).toBe('')
    }
  })
})

test('subgraphs in a half-precision model are refused; a double beside them is left alone', () => {
  const branch = { ...node('If', ['condition'], ['z']), captures: ['x'] }
  const graph = (type: number): Graph =>
    graphOf({
      nodes: [branch, node('Add', ['z', 'w'], ['y'])],
      inputs: [{ name: 'condition', type: DataType.bool, shape: [] }, ...inputs(DataType.float, [1])],
      outputs: ['y'],
      constants: new Map([['w', stored(floatConstant([1], [1]), type)]]),
    })
  expect(() => widen(graph(DataType.float16))).toThrow(/z \(If\).*subgraphs.*float32/)
  const doubles = graph(DataType.double)
  expect(widen(doubles)).toBe(doubles)
})
