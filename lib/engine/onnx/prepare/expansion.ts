/** What the decompositions of fused operators write with. */
import { readsOf, type Graph, type GraphNode } from '../graph/graph.ts'
import { NodeWriter } from '../graph/node-writer.ts'

/** Thrown for a variant that is not written out: the node then stays as it is. */
export class NotWrittenOut extends Error {}

/** Writes plain nodes in the place of one fused node. */
export class Expansion extends NodeWriter {
  readonly node: GraphNode
  readonly graph: Graph

  constructor(graph: Graph, node: GraphNode) {
    let next = 0
    const [made = ''] = node.outputs
    super({
      tensors: (part, count) => Array.from({ length: count }, () => `${made}/${part}_${next++}`),
      node: (operator) => `${node.name || made}/${operator}_${next++}`,
    })
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
  split(x: string, sizes: readonly number[], axis: number): readonly string[] {
    // Named first: a tensor's name is a layer's, and stays what it was when the constant was written behind the node.
    const parts = this.newTensors('Split', sizes.length)
    return this.ops('Split', [x, this.ints(sizes)], { axis }, parts)
  }
  /** Ends the expansion of a variant that is not written out, with the reason. */
  refuse(reason: string): never {
    throw new NotWrittenOut(reason)
  }
}

export type Decomposition = (at: Expansion) => void
