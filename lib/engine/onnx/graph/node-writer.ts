/** Writes nodes and constants: what everything that makes a part of a graph writes with. */
import { floatConstant, intConstant } from './constant.ts'
import type { Attribute, Constant, GraphNode } from './graph.ts'

/** Attributes as plain values: integers and integer lists, `{ float }` where a float is meant; or as a node has them. */
export type AttributeInput = number | readonly number[] | string | { readonly float: number } | Attribute | undefined

function attributeOf(value: Exclude<AttributeInput, undefined>): Attribute {
  if (typeof value === 'number') return { kind: 'int', value }
  if (typeof value === 'string') return { kind: 'string', value }
  if ('kind' in value) return value
  if ('float' in value) return { kind: 'float', value: value.float }
  return { kind: 'ints', value }
}

/** What new tensors and nodes are called. */
export interface Naming {
  /** `count` tensors that one node makes, or a constant; `part` says what they are. */
  tensors(part: string, count: number): readonly string[]
  /** The node that makes `output`. */
  node(operator: string, output: string): string
}

/** `prefix0/Mul`, `prefix1/constant`: a node is called as what it makes. */
export function numbered(prefix: string): Naming {
  let next = 0
  return {
    tensors: (part, count) => {
      const name = `${prefix}${next++}/${part}`
      return Array.from({ length: count }, (_, index) => (index === 0 ? name : `${name}:${index}`))
    },
    node: (_operator, output) => (output.startsWith(prefix) ? output : `${prefix}${output}`),
  }
}

export class NodeWriter {
  readonly #naming: Naming
  readonly #nodes: GraphNode[] = []
  readonly #constants = new Map<string, Constant>()

  constructor(naming: Naming) {
    this.#naming = naming
  }

  /** The nodes written so far, in order. */
  get nodes(): readonly GraphNode[] {
    return this.#nodes
  }
  get constants(): ReadonlyMap<string, Constant> {
    return this.#constants
  }

  /** Adds a node with one output, called `output` or by a new name, which it gives. */
  op(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    output = this.#newTensor(operator),
  ): string {
    this.#add(operator, inputs, attributes, [output])
    return output
  }

  /** Adds a node with several outputs, so many or of these names, and gives the names. */
  ops(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>>,
    outputs: number | readonly string[],
  ): readonly string[] {
    const names = typeof outputs === 'number' ? this.newTensors(operator, outputs) : outputs
    this.#add(operator, inputs, attributes, names)
    return names
  }

  #add(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>>,
    outputs: readonly string[],
  ): void {
    const entries = Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, attributeOf(value)] as const],
    )
    const name = this.#naming.node(operator, outputs[0] ?? '')
    this.#nodes.push({ name, operator, domain: '', inputs, outputs, attributes: Object.fromEntries(entries) })
  }

  /** Adds a node as it is. */
  put(...nodes: readonly GraphNode[]): void {
    this.#nodes.push(...nodes)
  }

  /** Adds a copy of a node of the model with other inputs or outputs, under a name of its own. */
  copy(node: GraphNode, change: Partial<GraphNode>): void {
    this.#nodes.push({ ...node, ...change, name: this.#newTensor(node.operator) })
  }

  constant(constant: Constant): string {
    const name = this.#newTensor('constant')
    this.#constants.set(name, constant)
    return name
  }
  /** A float scalar. */
  float(value: number): string {
    return this.constant(floatConstant([value], []))
  }
  /** A vector of int64. */
  ints(values: readonly number[]): string {
    return this.constant(intConstant(values))
  }
  /** An int64 scalar. */
  int(value: number): string {
    return this.constant(intConstant([value], []))
  }

  /** Names that nothing has yet. */
  protected newTensors(part: string, count: number): readonly string[] {
    return this.#naming.tensors(part, count)
  }
  #newTensor(part: string): string {
    return this.newTensors(part, 1)[0] as string
  }

  add(a: string, b: string): string {
    return this.op('Add', [a, b])
  }
  sub(a: string, b: string): string {
    return this.op('Sub', [a, b])
  }
  mul(a: string, b: string): string {
    return this.op('Mul', [a, b])
  }
  div(a: string, b: string): string {
    return this.op('Div', [a, b])
  }
  scale(a: string, factor: number): string {
    return factor === 1 ? a : this.mul(a, this.float(factor))
  }
  neg(a: string): string {
    return this.op('Neg', [a])
  }
  matMul(a: string, b: string): string {
    return this.op('MatMul', [a, b])
  }
  transpose(a: string, perm: readonly number[]): string {
    return perm.every((axis, index) => axis === index) ? a : this.op('Transpose', [a], { perm })
  }
  reshape(a: string, shape: string): string {
    return this.op('Reshape', [a, shape])
  }
  unsqueeze(a: string, axes: readonly number[]): string {
    return axes.length === 0 ? a : this.op('Unsqueeze', [a, this.ints(axes)])
  }
  squeeze(a: string, axes: readonly number[]): string {
    return axes.length === 0 ? a : this.op('Squeeze', [a, this.ints(axes)])
  }
  sum(a: string, axes: readonly number[], keep: boolean): string {
    return axes.length === 0 ? a : this.op('ReduceSum', [a, this.ints(axes)], { keepdims: keep ? 1 : 0 })
  }
  mean(a: string, axes: readonly number[]): string {
    return this.op('ReduceMean', [a, this.ints(axes)], { keepdims: 1 })
  }
  where(condition: string, a: string, b: string): string {
    return this.op('Where', [condition, a, b])
  }
  /** `a` where the condition holds (fails, if `not`), 0 elsewhere. */
  keep(a: string, condition: string, not = false): string {
    return not ? this.where(condition, this.float(0), a) : this.where(condition, a, this.float(0))
  }
  cast(a: string, to: number): string {
    return this.op('Cast', [a], { to })
  }
}
