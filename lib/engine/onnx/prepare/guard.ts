/**
 * Sizes that are known only while a graph runs, checked while it runs: in front of an operator whose output may have any
 * size, nodes compute how many elements it will have, and the run fails where they are too many. ONNX has no assertion: an
 * index out of bounds is one.
 */
import { DataType, shapeIn, typeIn, type Graph } from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'

/** How the nodes of guards are named, in errors of ONNX Runtime too. */
const PREFIX = 'limelight:guard/'
/** Before operator set 11 sizes were attributes, mostly. */
const OLDEST = 11

/** The same graph, which fails to run where an operator of unknown size would make more than `most` elements. */
export function guardSizes(graph: Graph, most: number): Graph {
  if ((graph.opsets.get('') ?? 0) < OLDEST) return graph
  const write = new NodeWriter(numbered(PREFIX))
  const limit = write.float(most)
  const zero = write.ints([0])
  for (const node of graph.nodes) {
    const shape = shapeIn(graph, node.outputs[0] ?? '')
    const known = shape !== null && shape.length > 0 && shape.every((dim) => typeof dim === 'number')
    const claim = known ? null : (operatorOf(node).size?.(node, write) ?? null)
    const size = claim === null ? '' : (node.inputs[claim.input] ?? '')
    const type = claim?.type === 'any' ? typeIn(graph, size) : DataType.int64
    if (claim === null || size === '' || type === 0) {
      write.put(node)
      continue
    }
    const tooMany = write.cast(write.op('Greater', [claim.elements, limit]), DataType.int64)
    const checked = write.op('Gather', [zero, tooMany])
    const asSize = write.cast(checked, claim.type === 'float' ? DataType.float : type)
    const guarded = write.add(size, asSize)
    write.put({ ...node, inputs: node.inputs.map((name, at) => (at === claim.input ? guarded : name)) })
  }
  return { ...graph, nodes: write.nodes, constants: new Map([...graph.constants, ...write.constants]) }
}

/** True for what ONNX Runtime says when a guard has stopped a run. */
export function stoppedByGuard(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    thrown.message.includes(PREFIX) &&
    /indices element out of data bounds/.test(thrown.message)
  )
}
