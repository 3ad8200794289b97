/** Small files that ask for gigabytes or for hours: refused from their shapes, before anything of that size is made. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { foldConstants } from '../../../../../lib/engine/onnx/prepare/fold.ts'
import {
  DataType,
  type Attribute,
  type Constant,
  type Dim,
  type GraphNode,
} from '../../../../../lib/engine/onnx/graph/graph.ts'
import { float32 } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, loadGraph, node } from '../../../../helpers/operator-model.ts'

const int = (value: number): Attribute => ({ kind: 'int', value })
const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
const text = (value: string): Attribute => ({ kind: 'string', value })
const one = floatConstant([1], [1])
const scalar = (value: number): Constant => floatConstant([value], [])

interface Case {
  readonly nodes: readonly GraphNode[]
  readonly constants?: Readonly<Record<string, Constant>>
  readonly shape?: readonly Dim[]
}

/** Adds the mean of a bomb to the input, so that the output depends on both. */
const mean = [node('ReduceMean', ['bomb'], ['average'], { keepdims: int(0) }), node('Add', ['x', 'average'], ['y'])]

/** Extents that the graph computes from the extents of x. */
const computed = [node('Shape', ['x'], ['extents']), node('Mul', ['extents', 'k'], ['n'])]

const CONSTANTS: Readonly<Record<string, Case>> = {
  ConstantOfShape: { nodes: [node('ConstantOfShape', ['n'], ['bomb'])], constants: { n: intConstant([2e9]) } },
  Expand: { nodes: [node('Expand', ['v', 'n'], ['bomb'])], constants: { v: one, n: intConstant([2e9]) } },
  'Expand of an Expand': {
    nodes: [node('Expand', ['v', 'n'], ['wide']), node('Expand', ['wide', 'm'], ['bomb'])],
    constants: { v: one, n: intConstant([65536]), m: intConstant([30000, 65536]) },
  },
  Tile: { nodes: [node('Tile', ['v', 'n'], ['bomb'])], constants: { v: one, n: intConstant([2e9]) } },
  Range: {
    nodes: [node('Range', ['start', 'end', 'step'], ['bomb'])],
    constants: { start: scalar(0), end: scalar(2e9), step: scalar(1) },
  },
  Pad: { nodes: [node('Pad', ['v', 'n'], ['bomb'])], constants: { v: one, n: intConstant([0, 2e9]) } },
  Resize: {
    nodes: [node('Resize', ['v', '', 'n'], ['bomb'], { mode: text('nearest') })],
    constants: { v: floatConstant([1, 2], [1, 1, 1, 2]), n: floatConstant([1, 1, 1, 1e9], [4]) },
  },
  OneHot: {
    nodes: [node('OneHot', ['i', 'n', 'v'], ['bomb'])],
    constants: { i: intConstant([0, 1, 2, 3]), n: intConstant([5e8], [1]), v: floatConstant([0, 1], [2]) },
  },
  'Mul of a row and a column': {
    nodes: [node('Expand', ['v', 'n'], ['row']), node('Expand', ['v', 'm'], ['column']), node('Mul', ['row', 'column'], ['bomb'])],
    constants: { v: one, n: intConstant([1, 46000]), m: intConstant([46000, 1]) },
  },
  Gather: {
    nodes: [node('Expand', ['v', 'n'], ['row']), node('ConstantOfShape', ['m'], ['zeros'], { value: { kind: 'tensor', value: intConstant([0]) } }), node('Gather', ['row', 'zeros'], ['bomb'])],
    constants: { v: one, n: intConstant([1, 46000]), m: intConstant([46000]) },
  },
  'a size computed in several steps': {
    nodes: [
      node('Pow', ['v', 'power'], ['n']),
      node('Cast', ['n'], ['size'], { to: int(DataType.int64) }),
      node('ConstantOfShape', ['size'], ['bomb']),
    ],
    constants: { v: floatConstant([215], [1]), power: scalar(4) },
  },
  RandomNormal: { nodes: [node('RandomNormal', [], ['bomb'], { shape: ints([46000, 46000]) })] },
} // prettier-ignore

const ACTIVATIONS: Readonly<Record<string, readonly [Case, RegExp]>> = {
  'an enlargement': [
    {
      nodes: [node('Resize', ['x', '', 'n'], ['map'], { mode: text('nearest') }), node('GlobalAveragePool', ['map'], ['y'])],
      constants: { n: floatConstant([1, 1, 1000, 1000], [4]) },
      shape: [1, 1, 46, 46],
    },
    /map \(Resize\): one run holds 8\.5 GB.*smaller input/,
  ],
  'an input': [{ nodes: [node('Relu', ['x'], ['y'])], shape: [1, 3, 30000, 30000] }, /inputs take 11 GB/],
  'a convolution with padding': [
    {
      nodes: [node('Conv', ['x', 'w'], ['y'], { pads: ints([20000, 20000, 20000, 20000]) })],
      constants: { w: floatConstant([1], [1, 1, 1, 1]) },
      shape: [1, 1, 64, 64],
    },
    /y \(Conv\): one run holds 6\.4 GB/,
  ],
  'a ConstantOfShape of computed size': [
    { nodes: [...computed, node('ConstantOfShape', ['n'], ['bomb']), ...mean], constants: { k: intConstant([5e7, 10]) }, shape: ['N', 4] },
    /size of a tensor of more than 1\.1 GB|makes 16 GB/,
  ],
  'an Expand of computed size': [
    { nodes: [...computed, node('Expand', ['v', 'n'], ['bomb']), ...mean], constants: { v: floatConstant([1], [1, 1]), k: intConstant([5e7, 10]) }, shape: ['N', 4] },
    /size of a tensor of more than 1\.1 GB|makes 16 GB/,
  ],
  'a Range up to a value of the input': [
    {
      nodes: [node('ReduceMax', ['x'], ['top'], { keepdims: int(0) }), node('Mul', ['top', 'k'], ['end']), node('Range', ['start', 'end', 'step'], ['bomb']), ...mean],
      constants: { k: scalar(4e9), start: scalar(0), step: scalar(1) },
      shape: [1, 4],
    },
    /size of a tensor of more than 1\.1 GB/,
  ],
} // prettier-ignore

const WINDOWS: Readonly<Record<string, readonly [Case, RegExp]>> = {
  'a window of 10^8 places': [
    { nodes: [node('MaxPool', ['x'], ['y'], { kernel_shape: ints([10001, 10001]), pads: ints([10000, 10000, 10000, 10000]) })], shape: [1, 1, 64, 64] },
    /y \(MaxPool\): its window \[10001, 10001\]/,
  ],
  'a window of 10^18 places with automatic padding': [
    { nodes: [node('AveragePool', ['x'], ['y'], { kernel_shape: ints([1e9, 1e9]), auto_pad: text('SAME_UPPER') })], shape: [1, 1, 224, 224] },
    /y \(AveragePool\): its window/,
  ],
  'a window larger than its input': [
    { nodes: [node('MaxPool', ['x'], ['y'], { kernel_shape: ints([301, 301]) })], shape: [1, 1, 224, 224] },
    /negative extent: a window is larger than its padded input/,
  ],
  'windows that cover the map ten million times': [
    { nodes: [node('MaxPool', ['x'], ['y'], { kernel_shape: ints([3001, 3001]), pads: ints([3000, 3000, 3000, 3000]) })], shape: [1, 1, 256, 256] },
    /y \(MaxPool\): one run takes about 58 minutes/,
  ],
  'a convolution of two large constants': [
    {
      nodes: [node('ConstantOfShape', ['n'], ['w']), node('Conv', ['w', 'w'], ['bomb'], { pads: ints([1500, 1500, 1500, 1500]) }), ...mean],
      constants: { n: intConstant([1, 1, 3000, 3000]) },
    },
    /bomb \(Conv\): one run takes about \d+ minutes/,
  ],
} // prettier-ignore

async function refuse({ nodes, constants = {}, shape = [1, 4] }: Case, words: RegExp): Promise<void> {
  const inputs = [{ name: 'x', type: DataType.float, shape }]
  const graph = graphOf({ nodes, inputs, outputs: ['y'], constants: new Map(Object.entries(constants)) })
  await expect(loadGraph(graph)).rejects.toMatchObject({
    code: 'BAD_MODEL',
    message: expect.stringMatching(words) as unknown,
  })
}

describe('what no file may ask for', () => {
  const peak = (): number => process.resourceUsage().maxRSS * 1024
  let before = 0
  beforeAll(() => {
    before = peak()
  })
  test.each(Object.entries(CONSTANTS))('gigabytes of constants: %s', (_, { nodes, ...rest }) =>
    refuse({ nodes: [...nodes, ...mean], ...rest }, /makes a constant of \d.*GB.*smaller constants/),
  )
  test.each(Object.entries(ACTIVATIONS))('gigabytes in one run: %s', (_, [model, words]) => refuse(model, words))
  test.each(Object.entries(WINDOWS))('hours of computing: %s', (_, [model, words]) => refuse(model, words))
  afterAll(() => {
    expect(peak() - before).toBeLessThan(2 ** 29)
  })
})

describe('what is folded all the same', () => {
  const x = { name: 'x', type: DataType.float, shape: [1, 256] }
  const folded = async (
    nodes: readonly GraphNode[],
    constants: Readonly<Record<string, Constant>>,
  ): Promise<string[]> => {
    const graph = graphOf({ nodes, inputs: [x], outputs: ['y'], constants: new Map(Object.entries(constants)) })
    return (await foldConstants(graph)).nodes.map((one) => one.operator)
  }
  const bytes = { type: DataType.uint8, dims: [256, 256], bytes: new Uint8Array(65536).fill(3) }
  test('weights from bytes, turned', async () => {
    const nodes = [
      node('DequantizeLinear', ['q', 'scale'], ['w']),
      node('Transpose', ['w'], ['turned']),
      node('MatMul', ['x', 'turned'], ['y']),
    ]
    expect(await folded(nodes, { q: bytes, scale: scalar(0.1) })).toEqual(['MatMul'])
  })
  test('sizes computed in several steps', async () => {
    const nodes = [
      node('Pow', ['a', 'b'], ['power']),
      node('Cast', ['power'], ['size'], { to: int(DataType.int64) }),
      node('ConstantOfShape', ['size'], ['zeros']),
      node('NonZero', ['zeros'], ['places']),
      node('Shape', ['places'], ['shape']),
      node('ReduceSum', ['shape'], ['sum'], { keepdims: int(0) }),
      node('Cast', ['sum'], ['more'], { to: int(DataType.float) }),
      node('Add', ['x', 'more'], ['y']),
    ]
    expect(await folded(nodes, { a: floatConstant([4], [1]), b: scalar(3) })).toEqual(['Add'])
  })
  test('what is small, beside what is not', async () => {
    const nodes = [
      node('Expand', ['v', 'n'], ['large']),
      node('ReduceMean', ['large'], ['m'], { keepdims: int(0) }),
      node('Neg', ['m'], ['less']),
      node('Expand', ['v', 'row'], ['bias']),
      node('Add', ['x', 'bias'], ['raised']),
      node('Add', ['raised', 'less'], ['y']),
    ]
    const constants = { v: one, n: intConstant([5e7]), row: intConstant([1, 256]) }
    expect(await folded(nodes, constants)).toEqual(['Expand', 'ReduceMean', 'Neg', 'Add', 'Add'])
  })
})

test('a size computed from the input within reason loads, with its shape', async () => {
  const nodes = [...computed, node('Expand', ['v', 'n'], ['wide']), node('ReduceMean', ['wide'], ['m'], { keepdims: int(0) }), node('Add', ['x', 'm'], ['y'])] // prettier-ignore
  const constants = new Map([['v', floatConstant([1], [1, 1])], ['k', intConstant([1, 3])]]) // prettier-ignore
  const inputs = [{ name: 'x', type: DataType.float, shape: ['N', 4] }]
  const model = await loadGraph(graphOf({ nodes, inputs, outputs: ['y'], constants }))
  try {
    expect(model.taps.find((tap) => tap.id === 'wide')?.shape).toEqual([null, 12])
    const { values } = await model.ask({ feeds: { x: float32([1, 2, 3, 4], [1, 4]) }, read: ['y'] })
    expect([...(values['y']?.data ?? [])]).toEqual([2, 3, 4, 5])
  } finally {
    await model.dispose()
  }
})

describe('many operators', () => {
  const relus = (count: number): GraphNode[] =>
    Array.from({ length: count }, (_, at) =>
      node('Relu', [at === 0 ? 'x' : `r${at}`], [at === count - 1 ? 'y' : `r${at + 1}`]),
    )
  const inputs = [{ name: 'x', type: DataType.float, shape: [1, 4] }]
  test('the gradient of a chain of five thousand is prepared in seconds', async () => {
    const model = await loadGraph(graphOf({ nodes: relus(5000), inputs, outputs: ['y'], constants: new Map() }))
    try {
      const of = { y: float32([1, 2, 3, 4], [1, 4]) }
      const feeds = { x: float32([1, -1, 2, -2], [1, 4]) }
      const begun = performance.now()
      const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt: ['x'] } })
      // 1 s when written; 22 s with the mask of every activation at the end of the file.
      expect(performance.now() - begun).toBeLessThan(10_000)
      expect([...(gradients['x']?.data ?? [])]).toEqual([1, 0, 3, 0])
    } finally {
      await model.dispose()
    }
  })
  test('more than any model has', async () => {
    const graph = graphOf({ nodes: relus(30_001), inputs, outputs: ['y'], constants: new Map() })
    await expect(loadGraph(graph)).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(/30,001 operators.*onnxsim/) as unknown,
    })
  })
})
