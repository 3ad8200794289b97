/** A batch normalisation as it is in evaluation: one factor and one shift a channel. */
import { floatsOf } from '../graph/constant.ts'
import { floatAttribute, type Graph, type GraphNode } from '../graph/graph.ts'

export interface ScaleAndShift {
  /** scale / sqrt(variance + epsilon), [C] */
  readonly factors: readonly number[]
  /** bias - factor * mean, [C] */
  readonly shifts: readonly number[]
}

/** Reads the weights when asked; null where they are no constants. */
export function scaleAndShift(graph: Graph, node: GraphNode): (() => ScaleAndShift) | null {
  const [scale, shift, mean, variance] = node.inputs.slice(1).map((name) => graph.constants.get(name))
  if (scale === undefined || shift === undefined || mean === undefined || variance === undefined) return null
  const epsilon = floatAttribute(node, 'epsilon') ?? 1e-5
  return () => {
    const [means, variances, shifts] = [floatsOf(mean), floatsOf(variance), floatsOf(shift)]
    const factors = Array.from(floatsOf(scale), (one, channel) => one / Math.sqrt((variances[channel] ?? 0) + epsilon))
    return {
      factors,
      shifts: factors.map((factor, channel) => (shifts[channel] ?? 0) - factor * (means[channel] ?? 0)),
    }
  }
}
