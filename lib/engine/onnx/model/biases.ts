/** The constants that a graph adds to its tensors, each with the tensor that has it. */
import { float32, sizeOf } from '../../../tensor/tensor.ts'
import type { LayerBias } from '../../model.ts'
import { shapeIn, type Graph } from '../graph/graph.ts'
import { neededNodes } from '../graph/walks.ts'
import { operatorOf } from '../operators/operator-of.ts'

/**
 * In graph order; a constant of one number (the 3 of a hard swish) belongs to a function, not to a layer.
 * @param logits the tensor that scores are read at; what does not lead there is left out
 */
export function findBiases(graph: Graph, logits: string): readonly LayerBias[] {
  return neededNodes(graph.nodes, [logits], new Set()).flatMap((node): LayerBias[] => {
    const [tap = ''] = node.outputs
    const rank = shapeIn(graph, tap)?.length
    const added = rank === undefined ? null : (operatorOf(node).adds?.(graph, node, rank) ?? null)
    if (rank === undefined || added === null || sizeOf(added.dims) < 2 || added.dims.length > rank) return []
    const ones = Array.from({ length: rank - added.dims.length }, () => 1)
    return [{ tap, value: float32(Float32Array.from(added.values), [...ones, ...added.dims]) }]
  })
}
