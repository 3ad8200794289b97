/**
 * Sizes that are known only while a graph runs, checked while it runs: in front of an operator whose output may have any
 * size, nodes compute how many elements it will have, and the run fails where they are too many. ONNX has no assertion: an
 * index out of bounds is one.
 */
import { DataType, shapeIn, typeIn, type Graph, type GraphNode } from '../graph/graph.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'

/** How the nodes of guards are named, in errors of ONNX Runtime too. */
const PREFIX = 'limelight:guard/'
/** Before operator set 11 sizes were attributes, mostly. */
const OLDEST = 11
/** Axes of a tensor at most. */
const MOST_AXES = 8

class GuardWriter extends NodeWriter {
  constructor() {
    super(numbered(PREFIX))
  }
  /** All values multiplied: a float, which overflows to infinity. */
  product(name: string): string {
    return this.op('ReduceProd', [this.cast(name, DataType.float)], { keepdims: 0 })
  }
  size(name: string): string {
    return this.cast(this.op('Size', [name]), DataType.float)
  }
  shape(name: string): string {
    return this.op('Shape', [name])
  }
  /** Extents, with ones in front. */
  aligned(extents: string): string {
    const padded = this.op('Concat', [this.ints(Array<number>(MOST_AXES).fill(1)), extents], { axis: 0 })
    return this.cast(this.op('Slice', [padded, this.ints([-MOST_AXES]), this.ints([2 ** 31])]), DataType.float)
  }
}

/** Which input of a node sets its size, and how many elements that will be. */
function claimOf(node: GraphNode, write: GuardWriter): { readonly input: number; readonly elements: string } | null {
  const [x = '', second = '', third = '', fourth = ''] = node.inputs
  switch (node.operator) {
    case 'ConstantOfShape':
      return { input: 0, elements: write.product(x) }
    case 'Expand': {
      const extents = write.op('Max', [write.aligned(write.shape(x)), write.aligned(second)])
      return { input: 1, elements: write.product(extents) }
    }
    case 'Tile':
      return { input: 1, elements: write.mul(write.size(x), write.product(second)) }
    case 'OneHot':
      return { input: 1, elements: write.mul(write.size(x), write.product(second)) }
    case 'Range': {
      const [start, limit, delta] = [x, second, third].map((name) => write.cast(name, DataType.float))
      const steps = write.div(write.sub(limit ?? '', start ?? ''), delta ?? '')
      return { input: 1, elements: write.product(steps) }
    }
    case 'Pad': {
      const added = write.op('ReduceMax', [write.cast(second, DataType.float)], { keepdims: 0 })
      const extents = write.add(write.cast(write.shape(x), DataType.float), write.add(added, added))
      return { input: 1, elements: write.product(extents) }
    }
    case 'Resize':
      if (fourth !== '')
        return {
          input: 3,
          elements: node.attributes['axes'] ? write.mul(write.size(x), write.product(fourth)) : write.product(fourth),
        }
      return { input: 2, elements: write.mul(write.size(x), write.product(third)) }
    default:
      return null
  }
}

/** The same graph, which fails to run where an operator of unknown size would make more than `most` elements. */
export function guardSizes(graph: Graph, most: number): Graph {
  if ((graph.opsets.get('') ?? 0) < OLDEST) return graph
  const write = new GuardWriter()
  const limit = write.float(most)
  const zero = write.ints([0])
  for (const node of graph.nodes) {
    const shape = shapeIn(graph, node.outputs[0] ?? '')
    const known = shape !== null && shape.length > 0 && shape.every((dim) => typeof dim === 'number')
    const claim = node.domain === '' && !known ? claimOf(node, write) : null
    const size = claim === null ? '' : (node.inputs[claim.input] ?? '')
    const type = claim !== null && 'Range OneHot'.includes(node.operator) ? typeIn(graph, size) : DataType.int64
    if (claim === null || size === '' || type === 0) {
      write.put(node)
      continue
    }
    const tooMany = write.cast(write.op('Greater', [claim.elements, limit]), DataType.int64)
    const checked = write.op('Gather', [zero, tooMany])
    const scales = node.operator === 'Resize' && claim.input === 2
    const asSize = write.cast(checked, scales ? DataType.float : type)
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
