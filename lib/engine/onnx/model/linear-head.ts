/** Finds a linear head: logits = W mean over H, W of a tap + b, exactly. Plain CAM needs it. */
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { LinearHead } from '../../model.ts'
import { floatsOf, intsOf } from '../graph/constant.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { floatAttribute, intAttribute, shapeIn, type Graph, type GraphNode } from '../graph/graph.ts'
import { consumersOf } from '../graph/walks.ts'

/** The head behind `tap`, or null where the logits are anything else. */
export function findLinearHead(graph: Graph, tap: string, logits: string): LinearHead | null {
  const shape = shapeIn(graph, tap)
  if (shape?.length !== 4) return null
  const consumers = consumersOf(graph.nodes)
  const only = (name: string): GraphNode | undefined => {
    const all = consumers.get(name) ?? []
    return all.length === 1 ? all[0] : undefined
  }
  let node = only(tap)
  if (node === undefined || !averagesExtents(graph, node)) return null
  let name = node.outputs[0] ?? ''
  for (node = only(name); node && operatorOf(node).keepsValues; node = only(name)) name = node.outputs[0] ?? ''
  // 1x1 convolutions on the pooled values are linear too; so is one in front of a reshape.
  let weights: FloatTensor | null = null
  let bias: Float32Array | null = null
  if (node?.operator === 'Gemm' && node.inputs[0] === name) {
    weights = gemmWeights(graph, node)
    bias = constantFloats(graph, node.inputs[2], floatAttribute(node, 'beta') ?? 1)
  } else if (node?.operator === 'MatMul' && node.inputs[0] === name) {
    weights = matrix(graph, node.inputs[1], true)
  } else if (node?.operator === 'Conv' && node.inputs[0] === name && (intAttribute(node, 'group') ?? 1) === 1) {
    const kernel = graph.constants.get(node.inputs[1] ?? '')
    if (kernel?.dims.slice(2).every((dim) => dim === 1)) weights = float32(floatsOf(kernel), kernel.dims.slice(0, 2))
    bias = constantFloats(graph, node.inputs[2], 1)
  }
  if (node === undefined || weights === null) return null
  name = node.outputs[0] ?? ''
  for (let next = only(name); next && name !== logits; next = only(name)) {
    if (next.operator === 'Add' && bias === null) {
      const other = next.inputs.find((one) => one !== name)
      bias = constantFloats(graph, other, 1)
      if (bias === null) return null
    } else if (!operatorOf(next).keepsValues) return null
    name = next.outputs[0] ?? ''
  }
  const classes = weights.dims[0] ?? 0
  if (name !== logits || weights.dims[1] !== shape[1]) return null
  if (bias !== null && bias.length !== classes) return null
  return { weights, bias: float32(bias ?? new Float32Array(classes), [classes]) }
}

/** Mean over exactly the last two of four axes. */
function averagesExtents(graph: Graph, node: GraphNode): boolean {
  if (node.operator === 'GlobalAveragePool') return true
  if (node.operator !== 'ReduceMean') return false
  const axes = graph.constants.get(node.inputs[1] ?? '')
  if (axes === undefined) return false
  const places = intsOf(axes).map((axis) => (axis < 0 ? axis + 4 : axis))
  return places.toSorted((a, b) => a - b).join() === '2,3'
}

function matrix(graph: Graph, name: string | undefined, transposed: boolean): FloatTensor | null {
  const constant = graph.constants.get(name ?? '')
  const [rows = 0, columns = 0] = constant?.dims ?? []
  if (constant?.dims.length !== 2) return null
  const values = floatsOf(constant)
  if (!transposed) return float32(values, [rows, columns])
  const turned = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column] as number
  return float32(turned, [columns, rows])
}

function gemmWeights(graph: Graph, node: GraphNode): FloatTensor | null {
  if (intAttribute(node, 'transA')) return null
  const weights = matrix(graph, node.inputs[1], !intAttribute(node, 'transB'))
  const alpha = floatAttribute(node, 'alpha') ?? 1
  if (weights === null || alpha === 1) return weights
  return float32(
    weights.data.map((one) => one * alpha),
    weights.dims,
  )
}

function constantFloats(graph: Graph, name: string | undefined, factor: number): Float32Array | null {
  const constant = graph.constants.get(name ?? '')
  if (constant === undefined) return null
  const values = floatsOf(constant)
  return factor === 1 ? values : values.map((one) => one * factor)
}
