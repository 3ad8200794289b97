/** What a person takes a tensor for, where its operands decide. */
import type { TapKind } from '../../model.ts'
import { isRectified } from './rules/quantised.ts'
import { shapeIn, type Graph, type GraphNode } from '../graph/graph.ts'

export type KindOf = (graph: Graph, node: GraphNode, producers: ReadonlyMap<string, GraphNode>) => TapKind

function readsConstant(graph: Graph, { inputs: [a = '', b = ''] }: GraphNode): boolean {
  return graph.constants.has(a) || graph.constants.has(b)
}

/** A product with weights is a linear layer, one of two activations an attention's. */
export const productKind: KindOf = (graph, node) => (readsConstant(graph, node) ? 'linear' : 'attention')

/** A sum with a constant is a linear layer's bias. */
export const sumKind: KindOf = (graph, node) => (readsConstant(graph, node) ? 'linear' : 'add')

/** Over scores [N, T, S] or [N, H, T, S] it is an attention's. */
export const softmaxKind: KindOf = (graph, node) =>
  (shapeIn(graph, node.inputs[0] ?? '')?.length ?? 0) >= 3 ? 'attention' : 'activation'

/** Floats made of quantised numbers are another tensor's, rounded; or the activation that a quantiser has taken the place of. */
export const dequantisedKind: KindOf = (graph, node, producers) =>
  isRectified(graph, producers, node.inputs[0] ?? '') ? 'activation' : 'other'
