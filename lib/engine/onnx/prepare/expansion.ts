/** What the decompositions of fused operators write with. */
import { floatConstant, intConstant } from '../graph/constant.ts'
import { readsOf, type Attribute, type Constant, type Graph, type GraphNode } from '../graph/graph.ts'

/** Thrown for a variant that is not written out: the node then stays as it is. */
export class Obstacle extends Error {}

/** Writes plain nodes in the place of one fused node. */
export class Expansion {
  readonly nodes: GraphNode[] = []
  readonly constants = new Map<string, Constant>()
  readonly node: GraphNode
  readonly graph: Graph
  #count = 0

  constructor(graph: Graph, node: GraphNode) {
    this.graph = graph
    this.node = node
  }

  input(index: number): string {
    return this.node.inputs[index] ?? ''
  }
  /** Whether somebody needs an output. */
  isRead(index: number): boolean {
    const name = this.node.outputs[index] ?? ''
    const { nodes, outputs } = this.graph
    return name !== '' && (outputs.some((one) => one.name === name) || nodes.some((one) => readsOf(one).includes(name)))
  }
  /** Adds a node; its output is `output` or a new name. */
  op(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = this.#name(operator),
  ): string {
    const name = `${this.node.name || this.node.outputs[0]}/${operator}_${this.#count++}`
    this.nodes.push({ name, operator, domain: '', inputs, outputs: [output], attributes })
    return output
  }
  split(x: string, sizes: readonly number[], axis: number): string[] {
    const outputs = sizes.map(() => this.#name('Split'))
    const name = `${this.node.name || this.node.outputs[0]}/Split_${this.#count++}`
    this.nodes.push({
      name,
      operator: 'Split',
      domain: '',
      inputs: [x, this.ints(sizes)],
      outputs,
      attributes: { axis: int(axis) },
    })
    return outputs
  }
  #name(part: string): string {
    return `${this.node.outputs[0] ?? ''}/${part}_${this.#count++}`
  }
  /** Ends the expansion of a variant that is not written out, with the reason. */
  refuse(reason: string): never {
    throw new Obstacle(reason)
  }
  ints(values: readonly number[]): string {
    return this.#constant(intConstant(values))
  }
  float(value: number): string {
    return this.#constant(floatConstant([value], []))
  }
  #constant(value: Constant): string {
    const name = this.#name('constant')
    this.constants.set(name, value)
    return name
  }
}

export const int = (value: number): Attribute => ({ kind: 'int', value })
export const float = (value: number): Attribute => ({ kind: 'float', value })

export type Decomposition = (at: Expansion) => void
