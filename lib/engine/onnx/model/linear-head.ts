/**
 * Finds a linear head: logits = W mean over H, W of a tap + b, exactly. Plain CAM needs it.
 *
 * Averaging over places and a linear map over channels change places without a difference, so both may come in any order:
 * convolutions of one tap, products, batch normalisations and sums with weights, one average over the whole map. Each
 * operator's row says what it does there (`headStep`).
 */
import { float32 } from '../../../tensor/tensor.ts'
import type { LinearHead } from '../../model.ts'
import { AffineMap } from '../../affine-map.ts'
import { shapeIn, type Graph } from '../graph/graph.ts'
import { consumersOf, neededNodes } from '../graph/walks.ts'
import type { Reached } from '../operators/head-steps.ts'
import { operatorOf } from '../operators/operator-of.ts'

/** The head behind `tap`, or null where the logits are anything else. */
export function findLinearHead(graph: Graph, tap: string, logits: string): LinearHead | null {
  const shape = shapeIn(graph, tap)
  const [, channels] = shape ?? []
  if (shape?.length !== 4 || typeof channels !== 'number') return null
  const consumers = consumersOf(neededNodes(graph.nodes, [logits], new Set([tap])))
  let at: Reached = { name: tap, axes: ['row', 'channel', 'place', 'place'], channels }
  const parts: ((map: AffineMap) => AffineMap)[] = []
  while (at.name !== logits) {
    const [node, ...others] = consumers.get(at.name) ?? []
    if (node === undefined || others.length > 0) return null
    const next = operatorOf(node).headStep?.(graph, node, at) ?? null
    if (next === null) return null
    if (next.apply !== undefined) parts.push(next.apply)
    at = { name: node.outputs[0] ?? '', axes: next.axes, channels: next.channels }
  }
  if (at.axes.join() !== 'row,channel') return null
  const { weights, bias } = parts.reduce((map, apply) => apply(map), AffineMap.identity(channels))
  return { weights: float32(weights, [bias.length, channels]), bias: float32(bias, [bias.length]) }
}
