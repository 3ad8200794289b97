/** Which tensors are rows of embedding tables, and which of them are the words. */
import { carriesGradient } from '../gradient/differentiate.ts'
import { DataType, shapeIn, typeIn, type Graph, type GraphNode } from '../graph/graph.ts'
import type { Kept } from '../operators/operator.ts'
import { operatorOf } from '../operators/operator-of.ts'

/** Rows read from a table. */
export interface Embedding {
  /** The tensor, floats. */
  readonly name: string
  /** The input whose values are the places in the table; null where those are computed. */
  readonly input: string | null
  /** Of the table. */
  readonly rows: number
}

/** Token types, positions and masks are looked up by inputs too: these are what exporters call those. */
const NO_WORDS = /mask|type|segment|position/i
const DECODER = /^decoder_|_decoder_/i

/**
 * Rows of tables, in graph order. A table of integers is looked up and then made float, by a cast, a zero point and a scale,
 * or by DequantizeLinear: the embedding is what comes of it, not the integers, nor the scales read beside them. Where rows are
 * read of a list of places [N * T], the embedding is the tensor that has them by text again, [N, T, E].
 */
export function embeddingsOf(graph: Graph): readonly Embedding[] {
  const found = new Map<string, Embedding>()
  /** Rows on their way from integers to floats: not scaled yet. */
  const unscaled = new Map<string, Omit<Embedding, 'name'>>()
  const perRow = new Set(graph.constants.keys())
  const { tables, places } = lookUps(graph)
  for (const node of graph.nodes) {
    const [a = '', b = ''] = node.inputs
    const [out = ''] = node.outputs
    const { computes, keeps, readsRows } = operatorOf(node)
    const rows = readsRows ? tables.get(a) : undefined
    const scaled = [a, b].find((name) => unscaled.has(name))
    const taken = unscaled.get(scaled ?? '')
    const other = scaled === a ? b : a
    if (rows !== undefined) {
      const looked = { input: places.get(b) ?? null, rows }
      if (carriesGradient(graph, out) || carriesGradient(graph, a)) found.set(out, { name: out, ...looked })
      else unscaled.set(out, looked)
    } else if ((readsRows && graph.constants.has(a)) || isOfRows(node, perRow)) {
      perRow.add(out)
    } else if (isReshapedRows(graph, node, found)) {
      const flat = found.get(a)
      found.delete(a)
      if (flat !== undefined) found.set(out, { ...flat, name: out })
    } else if (taken === undefined) continue
    else if (keeps === 'rounded' || (computes === 'product' && perRow.has(other)))
      found.set(out, { ...taken, name: out })
    else if (keeps === 'type' || (computes === 'difference' && perRow.has(other))) unscaled.set(out, taken)
  }
  return [...found.values()]
}

/**
 * The embeddings of the text's words: looked up with the ids as they are fed, whatever the order of look-ups. Among several
 * inputs that could hold ids, the one with the largest table; the first where a table is read twice. Where every place is
 * computed, that table of those.
 */
export function wordsAmong(embeddings: readonly Embedding[]): readonly string[] {
  const byInput = embeddings.filter(({ input }) => input !== null && !NO_WORDS.test(input))
  const ofText = byInput.filter(({ input }) => !DECODER.test(input ?? ''))
  const computed = embeddings.filter(({ input }) => input === null)
  const words = [ofText, byInput, computed].find((some) => some.length > 0) ?? []
  return words.toSorted((a, b) => b.rows - a.rows).map(({ name }) => name)
}

/** By tensor: the rows of the table [rows, E] that it is, and the input whose values it holds, in another shape or type. */
function lookUps(graph: Graph): {
  readonly tables: ReadonlyMap<string, number>
  readonly places: ReadonlyMap<string, string>
} {
  const tables = new Map<string, number>()
  for (const [name, { dims }] of graph.constants) {
    const [rows = 0, size = 0] = dims
    if (dims.length === 2 && size > 1) tables.set(name, rows)
  }
  const places = new Map<string, string>()
  for (const { name, type } of graph.inputs) if (WHOLE.includes(type)) places.set(name, name)
  for (const node of graph.nodes) {
    const [a = '', ...others] = node.inputs
    const [out = ''] = node.outputs
    const constant = others.every((name) => name === '' || graph.constants.has(name))
    const table = tables.get(a)
    const { bounds, keeps = '' } = operatorOf(node)
    const isTable = shapeIn(graph, out)?.length === 2 && shapeIn(graph, out)?.[0] === table
    if (table !== undefined && constant && isTable && WIDENS.includes(keeps)) tables.set(out, table)
    const of = places.get(a)
    const whole = WHOLE.includes(typeIn(graph, out))
    // The ids, in another shape or type or kept within the vocabulary.
    const isSame = keeps === 'order' || (constant && (keeps === 'type' || bounds !== undefined))
    if (of !== undefined && whole && isSame) places.set(out, of)
  }
  return { tables, places }
}

const WHOLE: readonly number[] = [
  DataType.int64,
  DataType.int32,
  DataType.uint32,
  DataType.uint8,
  DataType.int8,
  DataType.int16,
]
/** A table in fewer bits, made float before it is read, is a table still. */
const WIDENS: readonly string[] = ['rounded', 'type', 'order'] satisfies readonly Kept[]

/** A scale or zero point a row, looked up and then made float or given an axis: the tables of some files quantise these too. */
function isOfRows(node: GraphNode, perRow: ReadonlySet<string>): boolean {
  const { keeps, elementwise } = operatorOf(node)
  return (keeps !== undefined || elementwise === true) && node.inputs.every((name) => name === '' || perRow.has(name))
}

/** Rows [N * T, E] or [N, 1, T, E] of a table made [N, T, E]. */
function isReshapedRows(graph: Graph, node: GraphNode, found: ReadonlyMap<string, Embedding>): boolean {
  const [a = ''] = node.inputs
  const rows = found.get(a)
  if (rows === undefined || rows.input === null || operatorOf(node).keeps !== 'order') return false
  const [before, after] = [shapeIn(graph, a), shapeIn(graph, node.outputs[0] ?? '')]
  return before !== null && before.length !== 3 && after?.length === 3 && before.at(-1) === after.at(-1)
}
