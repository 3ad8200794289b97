/**
 * A light, immutable ONNX graph: what every part of the engine works on. Constants (initialisers and Constant nodes) are
 * kept apart from nodes; names are the file's own tensor names.
 */
import { AppError } from '../../../errors.ts'
import { sizeOf } from '../../../tensor/tensor.ts'

/** ONNX TensorProto.DataType codes in use here. */
export const DataType = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const

const FLOATS: ReadonlySet<number> = new Set([0, DataType.float, DataType.float16, DataType.double, DataType.bfloat16])

/** An element type of floating-point numbers, or one we do not know. */
export function carriesFloats(type: number): boolean {
  return FLOATS.has(type)
}

/** A range of a model's file. */
export interface StoredBytes {
  readonly file: {
    /** Absolute, without symbolic links: that of the model. */
    readonly folder: string
    /** Path inside the folder, as ONNX writes it. */
    readonly location: string
    /** @throws AppError BAD_MODEL when the file is not the one that was loaded. */
    checkUnchanged(): void
    /** @throws AppError BAD_MODEL as above. */
    read(offset: number, length: number): Uint8Array
  }
  readonly offset: number
  readonly length: number
}

/** A value known before the run: little-endian bytes, row-major. */
export interface Constant {
  readonly type: number
  readonly dims: readonly number[]
  /** Where `stored` is set, each access reads them from the file. */
  readonly bytes: Uint8Array
  /** Where they lie in the model's files, if they do. */
  readonly stored?: StoredBytes
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Constant }
  /** Anything else (subgraphs, sparse tensors), passed through as it came. */
  | { readonly kind: 'raw'; readonly value: unknown }

export interface GraphNode {
  readonly name: string
  readonly operator: string
  /** '' is ai.onnx. */
  readonly domain: string
  /** '' marks an optional input that was left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
  /** Outer names that subgraphs read. */
  readonly captures?: readonly string[]
  /** The exporter's module path, where it wrote one. */
  readonly scope?: string
  /** Why no gradient passes this variant of an operator that is otherwise known. */
  readonly obstacle?: string
  /**
   * The tap that it stands for, where its own output is called otherwise: a selection moved forward, a part of an operator
   * that was written out for a rule set.
   */
  readonly origin?: string
  /** The node of the file that it is a copy of, under a name made up for it. */
  readonly copyOf?: string
}

/** What a person finds a node by. */
export function nameOf(node: GraphNode): string {
  return node.copyOf ?? (node.name || (node.outputs[0] ?? ''))
}

/** A number, a symbol shared by equal extents, or null: unknown before the run. */
export type Dim = number | string | null
export type Shape = readonly Dim[]

/** As the contract has it: null for an extent that is not fixed, whatever the file calls it. */
export function publicShape(shape: Shape): (number | null)[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : null))
}

export interface ValueInfo {
  readonly name: string
  readonly type: number
  /** null: rank unknown. */
  readonly shape: Shape | null
}

/** A map [N, C, H, W] that is not in the file: a tensor whose axes lie otherwise, or whose tokens lie on a grid, seen as one. */
export interface MapView {
  /** The tensor that it shows. */
  readonly of: string
  /** The axis of tokens, and which of them lie on the grid; null where all that the tensor has is shown. */
  readonly tokens: {
    readonly axis: number
    readonly leading: number
    readonly count: number
    readonly extent: number
  } | null
  /** What is shown, without the first axis: as the tensor has it, and with every axis cut into its factors. */
  readonly extents: readonly number[]
  readonly factors: readonly number[]
  /** The order of the factors, the rows of the batch included, in which they are the map's. */
  readonly order: readonly number[]
  /** [C, H, W] */
  readonly map: readonly [number, number, number]
}

/** Attention weights, whose rows over the last axis sum to 1. */
export interface AttentionWeights {
  /**
   * Of 'self' they are [N, heads, T, T]: tokens look at the tokens of their own sequence. Of 'cross' [N, heads, T, S]: at those
   * of another one, or at fewer or more than they are. Of 'local' [N windows, heads, T, T]: at those of their window of a
   * picture.
   */
  readonly looksAt: 'self' | 'cross' | 'local'
  /** Where they are no tensor of the graph as it stands: the one inside whose node they are. */
  readonly inside?: {
    readonly tensor: string
    /** Of a tensor [N * heads, T, S], whose heads are unfolded; null for an operator that has weights inside. */
    readonly heads: number | null
  }
}

export interface Graph {
  readonly name: string
  /** In topological order. */
  readonly nodes: readonly GraphNode[]
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly constants: ReadonlyMap<string, Constant>
  /** Types and shapes of inner tensors, as far as known. */
  readonly values: ReadonlyMap<string, ValueInfo>
  /** Inner tensors whose shape the runtime does not infer by itself: written into the file. */
  readonly stated?: readonly ValueInfo[]
  /** Operator set version by domain. */
  readonly opsets: ReadonlyMap<string, number>
  readonly irVersion: number
  /** Names of the element types that were turned into float32 (widen.ts). */
  readonly widened?: readonly string[]
  /** Maps by the name under which questions ask for them; their shapes are among the values. */
  readonly maps?: ReadonlyMap<string, MapView>
  /** Attention weights in the order of their layers, by the name under which questions ask for them; shapes likewise. */
  readonly attention?: ReadonlyMap<string, AttentionWeights>
}

export function badModel(message: string, cause?: unknown): AppError {
  return new AppError({
    code: 'BAD_MODEL',
    message,
    userMessage: `This ONNX model cannot be used. ${message}`,
    ...(cause === undefined ? {} : { cause }),
  })
}

/** `/layer1/conv/Conv (Conv)`: how errors name a node. */
export function describeNode(node: GraphNode): string {
  return `${node.name || node.outputs[0] || 'unnamed node'} (${node.operator})`
}

/** What an operator is called: ai.onnx's by name, those of other domains by `domain:name`. */
export function operatorKey(node: GraphNode): string {
  return node.domain === '' ? node.operator : `${node.domain}:${node.operator}`
}

/** Everything a node reads: its inputs and what its subgraphs capture; optional gaps left out. */
export function readsOf(node: GraphNode): string[] {
  const reads = node.inputs.filter((name) => name !== '')
  return node.captures ? [...reads, ...node.captures] : reads
}

/** Shape of a tensor, null where its rank is not known. */
export function shapeIn(graph: Graph, name: string): Shape | null {
  return graph.constants.get(name)?.dims ?? graph.values.get(name)?.shape ?? null
}

/** Elements of a tensor; an extent that is not known before the run counts as 1, so that this is a lower bound. */
export function elementsOf(shape: Shape | null): number {
  return sizeOf((shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1)))
}

/** One extent, 1 where it is not known before the run. */
export function extentOf(shape: Shape | null, axis: number): number {
  const dim = shape?.at(axis)
  return typeof dim === 'number' ? dim : 1
}

/** Element type of a tensor, 0 where it is not known. */
export function typeIn(graph: Graph, name: string): number {
  return graph.constants.get(name)?.type ?? graph.values.get(name)?.type ?? 0
}

export function intAttribute(node: GraphNode, name: string): number | undefined {
  const attribute = node.attributes[name]
  return attribute?.kind === 'int' ? attribute.value : undefined
}
export function floatAttribute(node: GraphNode, name: string): number | undefined {
  const attribute = node.attributes[name]
  return attribute?.kind === 'float' ? attribute.value : undefined
}
export function textAttribute(node: GraphNode, name: string): string | undefined {
  const attribute = node.attributes[name]
  return attribute?.kind === 'string' ? attribute.value : undefined
}
export function intsAttribute(node: GraphNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name]
  return attribute?.kind === 'ints' ? attribute.value : undefined
}
