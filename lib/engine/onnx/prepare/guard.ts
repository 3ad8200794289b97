/**
 * Sizes that are known only while a graph runs, checked while it runs: in front of an operator whose output may have any
 * size, nodes compute how many elements it will have, and the run fails where they are too many. ONNX has no assertion: an
 * index out of bounds is one.
 */
import { floatConstant, intConstant } from '../graph/constant.ts'
import { DataType, shapeIn, typeIn, type Attribute, type Constant, type Graph, type GraphNode } from '../graph/graph.ts'

/** How the nodes of guards are named, in errors of ONNX Runtime too. */
const PREFIX = 'limelight:guard/'
/** Before operator set 11 sizes were attributes, mostly. */
const OLDEST = 11
/** Axes of a tensor at most. */
const MOST_AXES = 8

class Writer {
  readonly constants = new Map<string, Constant>()
  readonly nodes: GraphNode[] = []
  #count = 0

  op(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const name = `${PREFIX}${this.#count++}`
    this.nodes.push({ name, operator, domain: '', inputs, outputs: [name], attributes })
    return name
  }
  constant(value: Constant): string {
    const name = `${PREFIX}${this.#count++}`
    this.constants.set(name, value)
    return name
  }
  cast(name: string, type: number): string {
    return this.op('Cast', [name], { to: { kind: 'int', value: type } })
  }
  /** All values multiplied: a float, which overflows to infinity. */
  product(name: string): string {
    return this.op('ReduceProd', [this.cast(name, DataType.float)], { keepdims: { kind: 'int', value: 0 } })
  }
  size(name: string): string {
    return this.cast(this.op('Size', [name]), DataType.float)
  }
  /** Extents, with ones in front. */
  aligned(extents: string): string {
    const padded = this.op('Concat', [this.constant(intConstant(Array<number>(MOST_AXES).fill(1))), extents], {
      axis: { kind: 'int', value: 0 },
    })
    const [start, end] = [this.constant(intConstant([-MOST_AXES])), this.constant(intConstant([2 ** 31]))]
    return this.cast(this.op('Slice', [padded, start, end]), DataType.float)
  }
}

/** Which input of a node sets its size, and how many elements that will be. */
function claimOf(node: GraphNode, write: Writer): { readonly input: number; readonly elements: string } | null {
  const [x = '', second = '', third = '', fourth = ''] = node.inputs
  const times = (a: string, b: string): string => write.op('Mul', [a, b])
  switch (node.operator) {
    case 'ConstantOfShape':
      return { input: 0, elements: write.product(x) }
    case 'Expand': {
      const extents = write.op('Max', [write.aligned(write.op('Shape', [x])), write.aligned(second)])
      return { input: 1, elements: write.product(extents) }
    }
    case 'Tile':
      return { input: 1, elements: times(write.size(x), write.product(second)) }
    case 'OneHot':
      return { input: 1, elements: times(write.size(x), write.product(second)) }
    case 'Range': {
      const [start, limit, delta] = [x, second, third].map((name) => write.cast(name, DataType.float))
      const steps = write.op('Div', [write.op('Sub', [limit ?? '', start ?? '']), delta ?? ''])
      return { input: 1, elements: write.product(steps) }
    }
    case 'Pad': {
      const added = write.op('ReduceMax', [write.cast(second, DataType.float)], { keepdims: { kind: 'int', value: 0 } })
      const extents = write.op('Add', [
        write.cast(write.op('Shape', [x]), DataType.float),
        write.op('Add', [added, added]),
      ])
      return { input: 1, elements: write.product(extents) }
    }
    case 'Resize':
      if (fourth !== '')
        return {
          input: 3,
          elements: node.attributes['axes'] ? times(write.size(x), write.product(fourth)) : write.product(fourth),
        }
      return { input: 2, elements: times(write.size(x), write.product(third)) }
    default:
      return null
  }
}

/** The same graph, which fails to run where an operator of unknown size would make more than `most` elements. */
export function guardSizes(graph: Graph, most: number): Graph {
  if ((graph.opsets.get('') ?? 0) < OLDEST) return graph
  const write = new Writer()
  const limit = write.constant(floatConstant([most], []))
  const zero = write.constant(intConstant([0]))
  for (const node of graph.nodes) {
    const shape = shapeIn(graph, node.outputs[0] ?? '')
    const known = shape !== null && shape.length > 0 && shape.every((dim) => typeof dim === 'number')
    const claim = node.domain === '' && !known ? claimOf(node, write) : null
    const size = claim === null ? '' : (node.inputs[claim.input] ?? '')
    const type = claim !== null && 'Range OneHot'.includes(node.operator) ? typeIn(graph, size) : DataType.int64
    if (claim === null || size === '' || type === 0) {
      write.nodes.push(node)
      continue
    }
    const tooMany = write.cast(write.op('Greater', [claim.elements, limit]), DataType.int64)
    const checked = write.op('Gather', [zero, tooMany])
    const scales = node.operator === 'Resize' && claim.input === 2
    const asSize = write.cast(checked, scales ? DataType.float : type)
    const guarded = write.op('Add', [size, asSize])
    write.nodes.push({ ...node, inputs: node.inputs.map((name, at) => (at === claim.input ? guarded : name)) })
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
