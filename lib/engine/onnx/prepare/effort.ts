/**
 * What computing a node takes, told from shapes before anything runs. A file of a few hundred bytes can ask for a tensor of
 * gigabytes, or for a window that is moved over a picture for hours, and ONNX Runtime would begin.
 */
import { sizeOf } from '../../../tensor/tensor.ts'
import { bytesPerElement } from '../graph/constant.ts'
import {
  elementsOf,
  extentOf,
  intsAttribute,
  readsOf,
  shapeIn,
  typeIn,
  type Graph,
  type GraphNode,
} from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'

export interface Effort {
  /** Of the tensors it makes. */
  readonly bytes: number
  /** On one ordinary core; right to the order of magnitude. */
  readonly seconds: number
}

/** What one core does in a second: products of matrices and convolutions; values read or written; values under a window. */
const PRODUCTS = 2e10
const VALUES = 1e9
const WINDOWED = 2e8

export function bytesOfTensor(graph: Graph, name: string): number {
  return elementsOf(shapeIn(graph, name)) * bytesPerElement(typeIn(graph, name))
}

/** A lower bound where shapes are unknown. */
export function effortOf(graph: Graph, node: GraphNode): Effort {
  const made = node.outputs.filter((name) => name !== '')
  const { readsShape, products } = operatorOf(node)
  const read = readsShape ? [] : readsOf(node)
  const moved = [...made, ...read.filter((name) => !graph.constants.has(name))]
  const values = moved.reduce((sum, name) => sum + elementsOf(shapeIn(graph, name)), 0)
  return {
    bytes: made.reduce((sum, name) => sum + bytesOfTensor(graph, name), 0),
    seconds: values / VALUES + (products?.(graph, node) ?? 0) / PRODUCTS + windowedBy(graph, node) / WINDOWED,
  }
}

/** Values under all windows of a pooling; the places of a window that lie outside the map are passed over. */
function windowedBy(graph: Graph, node: GraphNode): number {
  if (!operatorOf(node).window) return 0
  const map = shapeIn(graph, node.inputs[0] ?? '')
  const inside = (intsAttribute(node, 'kernel_shape') ?? []).map((kernel, axis) => {
    const dim = map?.[axis + 2]
    return typeof dim === 'number' ? Math.min(kernel, dim) : kernel
  })
  return elementsOf(shapeIn(graph, node.outputs[0] ?? '')) * sizeOf(inside)
}

/** A window of more values than this, over all channels, is no pooling of a picture or a recording. */
const LARGEST_WINDOW = 2 ** 26

/** What is wrong with a window that no input could ask for; null where it may be meant. */
export function absurdWindow(graph: Graph, node: GraphNode): string | null {
  if (!operatorOf(node).window) return null
  const kernel = intsAttribute(node, 'kernel_shape') ?? []
  const values = sizeOf(kernel) * extentOf(shapeIn(graph, node.inputs[0] ?? ''), 1)
  return values > LARGEST_WINDOW ? `its window [${kernel.join(', ')}] covers ${values.toPrecision(2)} values` : null
}
