/** Which tensors are word embeddings. */
import { carriesGradient } from '../gradient/differentiate.ts'
import type { Graph } from '../graph/graph.ts'

/**
 * Rows read from a word table. A table of integers is looked up and then made float, by a cast, a zero point and a scale,
 * or by DequantizeLinear: the embedding is what comes of it, not the integers, nor the scales read beside them.
 */
export function embeddingsOf(graph: Graph): ReadonlySet<string> {
  const found = new Set<string>()
  /** Rows on their way from integers to floats: not scaled yet. */
  const unscaled = new Set<string>()
  const perRow = new Set(graph.constants.keys())
  for (const node of graph.nodes) {
    const [a = '', b = ''] = node.inputs
    const [out = ''] = node.outputs
    const table = node.operator === 'Gather' ? graph.constants.get(a) : undefined
    const rows = [a, b].find((name) => unscaled.has(name))
    const other = rows === a ? b : a
    if (table?.dims.length === 2 && (table.dims[1] ?? 0) > 1) (carriesGradient(graph, a) ? found : unscaled).add(out)
    else if (table || (node.operator === 'Unsqueeze' && perRow.has(a))) perRow.add(out)
    else if (rows === undefined) continue
    else if (node.operator === 'DequantizeLinear') found.add(out)
    else if (node.operator === 'Mul' && perRow.has(other)) found.add(out)
    else if (node.operator === 'Cast' || (node.operator === 'Sub' && perRow.has(other))) unscaled.add(out)
  }
  return found
}
