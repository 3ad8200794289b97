/** A file's graph in the forms that gradient rules are written for. */
import type { Graph } from '../graph/graph.ts'
import { decompose } from './decompose.ts'
import { foldConstants } from './fold.ts'
import { inferShapes } from './infer-shapes.ts'
import { upgrade } from './upgrade.ts'
import { widen } from './widen.ts'

/** Folded, with shapes, in the form that gradient rules are written for. */
export async function prepareGraph(graph: Graph): Promise<Graph> {
  const folded = await inferShapes(await foldConstants(widen(graph)))
  const plain = decompose({ ...upgrade(folded), values: folded.values })
  const made = plain.nodes.flatMap((node) => node.outputs)
  return made.every((name) => name === '' || folded.values.has(name)) ? plain : inferShapes(plain)
}
