/**
 * Types and shapes of every tensor. ONNX Runtime infers them for a copy of the graph without its weights; where a shape
 * stays unknown (sizes computed in the graph), the model is run at two sizes and equal extents get one symbol.
 */
import { byteCount } from '../graph/stored.ts'
import {
  badModel,
  DataType,
  readsOf,
  shapeIn,
  typeIn,
  type Graph,
  type GraphNode,
  type ValueInfo,
} from '../graph/graph.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { createPlainSession } from '../run/runtime.ts'
import { SMALL } from './evaluate.ts'
import { refuseExcess } from './limits.ts'
import { probe } from './probe.ts'
import { everyOutput, valuesOf } from './runtime-shapes.ts'

/**
 * The same graph with `values` filled in.
 * @throws AppError BAD_MODEL where ONNX Runtime refuses the graph, or where one run would take absurdly much.
 */
export async function inferShapes(graph: Graph): Promise<Graph> {
  const inferred = await inferByRuntime(graph)
  refuseExcess({ ...graph, values: inferred })
  const indices = new Set(graph.nodes.flatMap((node) => node.inputs.slice(operatorOf(node).places ?? Infinity)))
  const unknown = graph.nodes.some((node) =>
    node.outputs.some((name) => {
      const info = inferred.get(name)
      if (info === undefined || (info.type !== DataType.float && !indices.has(name))) return false
      return info.shape === null || info.shape.length === 0 || info.shape.includes(null)
    }),
  )
  if (!unknown) return { ...graph, values: inferred }
  const values = (await probe({ ...graph, values: inferred })) ?? inferred
  refuseExcess({ ...graph, values })
  return { ...graph, values }
}

/**
 * The same graph with shapes of `added` nodes alone, as far as they follow from those of what they read. Much cheaper than
 * {@link inferShapes}: nothing is probed, and the rest of the graph is not looked at.
 */
export async function inferAdded(graph: Graph, added: readonly GraphNode[]): Promise<Graph> {
  const made = new Set(added.flatMap((node) => node.outputs))
  const read = new Set(added.flatMap(readsOf).filter((name) => !made.has(name)))
  const constants = new Map([...graph.constants].filter(([name]) => read.has(name)))
  const inputs = [...read].filter((name) => !constants.has(name)).map((name) => ({ name, type: typeIn(graph, name), shape: shapeIn(graph, name) })) // prettier-ignore
  const inferred = await inferByRuntime({ ...graph, nodes: added, inputs, constants, stated: [] })
  return { ...graph, values: new Map([...inferred, ...graph.values]) }
}

async function inferByRuntime(graph: Graph): Promise<Map<string, ValueInfo>> {
  const heavy = [...graph.constants].filter(([, constant]) => byteCount(constant) > SMALL)
  const weights = heavy.map(([name, { type, dims }]) => ({ name, type, shape: dims }))
  const heavyNames = new Set(heavy.map(([name]) => name))
  const copy = {
    ...graph,
    inputs: [...graph.inputs, ...weights],
    outputs: everyOutput(graph),
    constants: new Map([...graph.constants].filter(([name]) => !heavyNames.has(name))),
  }
  const session = await createPlainSession(copy).catch((cause: unknown) => {
    const words = cause instanceof Error ? cause.message : String(cause)
    // It names no node then.
    const hint = /Invalid dimension: -/.test(words)
      ? ' A tensor would have a negative extent: a window is larger than its padded input, or sizes are beyond all bounds.'
      : ''
    throw badModel(`ONNX Runtime refuses it: ${words}${hint}`, cause)
  })
  try {
    return valuesOf(session, graph)
  } finally {
    await session.release()
  }
}
