/** Which tensor holds the words: the rows looked up with the ids, in whatever order and spelling a file has them. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readModelFile } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { floatConstant, intConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import {
  DataType,
  type Attribute,
  type Constant,
  type Graph,
  type GraphNode,
} from '../../../../../lib/engine/onnx/graph/graph.ts'
import { sensibleTap } from '../../../../../lib/engine/onnx/model/defaults.ts'
import { embeddingsOf, wordsAmong } from '../../../../../lib/engine/onnx/model/embeddings.ts'
import { prepareGraph } from '../../../../../lib/engine/onnx/prepare/prepare-graph.ts'
import { findTaps } from '../../../../../lib/engine/onnx/model/taps.ts'
import { graphOf, node, type OperatorInput } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'

const table = (rows: number, seed: number): Constant => floatConstant(normals(rows * 4, seed), [rows, 4])
const int = (value: number): Attribute => ({ kind: 'int', value })
const ids = (name: string, type: number = DataType.int64): OperatorInput => ({ name, type, shape: ['N', 'T'] })
const constants = new Map<string, Constant>([
  ['words', table(20, 1)],
  ['types', table(2, 2)],
  ['places', table(30, 3)],
  ['head', floatConstant(normals(12, 4), [4, 3])],
  ['first', intConstant([1])],
  ['list', intConstant([-1])],
  ['text', intConstant([2, 5, 4])],
  ['low', intConstant([0], [])],
  ['high', intConstant([19], [])],
  ['bytes', { type: DataType.int8, dims: [20, 4], bytes: new Uint8Array(80).fill(3) }],
  ['scales', { type: DataType.int8, dims: [20, 1], bytes: new Uint8Array(20).fill(5) }],
  ['scale', floatConstant([0.1], [])],
  ['zero', { type: DataType.int8, dims: [], bytes: new Uint8Array(1) }],
])
const look = (from: string, by: string, out: string): GraphNode => node('Gather', [from, by], [out])
const head = (sum: string): GraphNode[] => [
  node('ReduceMean', [sum, 'first'], ['mean'], { keepdims: int(0) }),
  node('MatMul', ['mean', 'head'], ['logits']),
]
const added = (...embeddings: readonly string[]): GraphNode[] =>
  embeddings
    .slice(1)
    .map((one, at) => node('Add', [at === 0 ? (embeddings[0] ?? '') : `sum${at - 1}`, one], [`sum${at}`]))

interface Case {
  readonly nodes: readonly GraphNode[]
  readonly inputs: readonly OperatorInput[]
  readonly word: string
}
const CASES: Readonly<Record<string, Case>> = {
  'token types looked up first': {
    nodes: [
      look('types', 'token_type_ids', 't'),
      look('places', 'position_ids', 'p'),
      look('words', 'input_ids', 'w'),
      ...added('t', 'p', 'w'),
      ...head('sum1'),
    ],
    inputs: [ids('token_type_ids'), ids('position_ids'), ids('input_ids')],
    word: 'w',
  },
  'names that say nothing: the larger table': {
    nodes: [look('types', 'b', 't'), look('words', 'a', 'w'), ...added('t', 'w'), ...head('sum0')],
    inputs: [ids('b'), ids('a')],
    word: 'w',
  },
  'a position table larger than the vocabulary, by computed places': {
    nodes: [
      node('CumSum', ['input_ids', 'first0'], ['at']),
      look('places', 'at', 'p'),
      look('words', 'input_ids', 'w'),
      ...added('p', 'w'),
      ...head('sum0'),
    ],
    inputs: [ids('input_ids')],
    word: 'w',
  },
  'ids of another type, kept within the vocabulary': {
    nodes: [
      look('types', 'segment_ids', 't'),
      node('Cast', ['ids'], ['wide'], { to: int(DataType.int64) }),
      node('Clip', ['wide', 'low', 'high'], ['bounded']),
      look('words', 'bounded', 'w'),
      ...added('t', 'w'),
      ...head('sum0'),
    ],
    inputs: [ids('segment_ids', DataType.int32), ids('ids', DataType.int32)],
    word: 'w',
  },
  'ids as one list, and rows by text again': {
    nodes: [
      look('types', 'segment_ids', 't'),
      node('Reshape', ['ids', 'list'], ['listed']),
      look('words', 'listed', 'rows'),
      node('Reshape', ['rows', 'text'], ['w']),
      ...added('t', 'w'),
      ...head('sum0'),
    ],
    inputs: [
      { ...ids('segment_ids'), shape: [2, 5] },
      { ...ids('ids'), shape: [2, 5] },
    ],
    word: 'w',
  },
  'bytes, dequantised behind the look-up': {
    nodes: [
      look('types', 'segment_ids', 't'),
      look('bytes', 'ids', 'q'),
      node('DequantizeLinear', ['q', 'scale', 'zero'], ['w']),
      ...added('t', 'w'),
      ...head('sum0'),
    ],
    inputs: [ids('segment_ids'), ids('ids')],
    word: 'w',
  },
  'bytes, and a scale a row that is in bytes itself': {
    nodes: [
      look('types', 'segment_ids', 't'),
      look('scales', 'ids', 'sq'),
      look('bytes', 'ids', 'q'),
      node('DequantizeLinear', ['sq', 'scale', 'zero'], ['s']),
      node('Cast', ['q'], ['qf'], { to: int(DataType.float) }),
      node('Mul', ['qf', 's'], ['w']),
      ...added('t', 'w'),
      ...head('sum0'),
    ],
    inputs: [ids('segment_ids'), ids('ids')],
    word: 'w',
  },
  'ids changed on the way, token types as they are fed': {
    nodes: [
      look('types', 'segment_ids', 't'),
      node('Add', ['ids', 'low'], ['moved']),
      look('words', 'moved', 'w'),
      ...added('t', 'w'),
      ...head('sum0'),
    ],
    inputs: [ids('segment_ids'), ids('ids')],
    word: 'w',
  },
  'bytes, dequantised before it': {
    nodes: [
      node('DequantizeLinear', ['bytes', 'scale', 'zero'], ['floats']),
      look('types', 'segment_ids', 't'),
      look('floats', 'ids', 'w'),
      ...added('t', 'w'),
      ...head('sum0'),
    ],
    inputs: [ids('segment_ids'), ids('ids')],
    word: 'w',
  },
  'one table for encoder and decoder': {
    nodes: [
      look('words', 'decoder_input_ids', 'd'),
      look('words', 'input_ids', 'w'),
      ...added('d', 'w'),
      ...head('sum0'),
    ],
    inputs: [ids('decoder_input_ids'), ids('input_ids')],
    word: 'w',
  },
  'words through which no gradient passes are words still': {
    nodes: [
      look('types', 'segment_ids', 't'),
      look('words', 'ids', 'w'),
      node('Bernoulli', ['w'], ['stopped']),
      ...added('t', 'stopped'),
      ...head('sum0'),
    ],
    inputs: [ids('segment_ids'), ids('ids')],
    word: 'w',
  },
}

async function defaultOf(graph: Graph): Promise<string> {
  const prepared = await prepareGraph(graph)
  const words = wordsAmong(embeddingsOf(prepared))
  return sensibleTap(findTaps(prepared, 'logits'), words)
}

describe('the default layer of a text model', () => {
  test.each(Object.entries(CASES))('%s', async (_, { nodes, inputs, word }) => {
    const more = new Map([...constants, ['first0', intConstant([1], [])]])
    expect(await defaultOf(graphOf({ nodes, inputs, outputs: ['logits'], constants: more }))).toBe(word)
  })

  test('a whole BERT, in the order of its file and with token types first', async () => {
    const path = fileURLToPath(new URL('../../../../fixtures/networks/bert.onnx', import.meta.url))
    const graph = await readModelFile(path)
    const isTypes = (one: GraphNode): boolean => one.operator === 'Gather' && one.inputs[1] === 'token_type_ids'
    expect(graph.nodes.filter(isTypes)).toHaveLength(1)
    const typesFirst = [...graph.nodes.filter(isTypes), ...graph.nodes.filter((one) => !isTypes(one))]
    const asExported = await defaultOf(graph)
    expect(asExported).toBe('embedding')
    expect(await defaultOf({ ...graph, nodes: typesFirst })).toBe(asExported)
  })
})
