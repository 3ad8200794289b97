/**
 * Runs nodes that read only known values, in parts. A part holds the nodes whose sizes can be told before they run and are
 * within a budget; what it makes tells the sizes of the next one (shapes computed in the graph). So a file cannot have a
 * tensor made that is larger than what was allowed.
 */
import type { Tensor as RuntimeTensor } from 'onnxruntime-node'
import { effortOf } from './effort.ts'
import { readsOf, type Constant, type Dim, type Graph, type GraphNode, type ValueInfo } from '../graph/graph.ts'
import { neededNodes } from '../graph/walks.ts'
import { Held } from './limits.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'
import { createPlainSession, runOnce, toConstant, typeCode } from '../run/runtime.ts'
import { byteCount } from '../graph/stored.ts'

/** Weights above this many bytes are inputs where shapes are inferred: that needs small integers, not matrices. */
export const SMALL = 1024

/** Each part settles at least one computed shape; no exporter nests them so deep. */
const MOST_PARTS = 64

export interface Budget {
  /** Held at once, results among them. */
  readonly bytes: number
  /** As {@link effortOf} counts them. */
  readonly seconds: number
}

/**
 * Runs a graph without inputs as far as the budget goes: what it gives could be made within it.
 * @throws Error where ONNX Runtime refuses the graph, or a node does not run.
 */
export async function evaluate(
  graph: Graph,
  wanted: ReadonlySet<string>,
  budget: Budget,
): Promise<ReadonlyMap<string, RuntimeTensor>> {
  const held = new Held(graph.nodes, wanted)
  const results = new Map<string, RuntimeTensor>()
  const left: GraphNode[] = []
  let { seconds } = budget
  let pending = graph.nodes
  for (let parts = 0; parts < MOST_PARTS && pending.length > 0; parts++) {
    const at = await withShapes(graph, pending, results)
    const known = (name: string): boolean => graph.constants.has(name) || results.has(name)
    const made = new Set<string>()
    const part: GraphNode[] = []
    const later: GraphNode[] = []
    let bytes = 0
    for (const node of pending) {
      const reads = readsOf(node)
      const sized = node.outputs.every((name) => name === '' || isSized(at.values.get(name)))
      const ready = reads.every((name) => known(name) || made.has(name))
      const bounded = sized || (!operatorOf(node).enlarges && reads.every(known))
      const effort = effortOf(at, node)
      if (!ready || !bounded) later.push(node)
      else if (held.bytes + effort.bytes > budget.bytes || effort.seconds > seconds) left.push(node)
      else if (bytes + effort.bytes > budget.bytes) later.push(node)
      else {
        held.during(at, node)
        bytes += effort.bytes
        seconds -= effort.seconds
        part.push(node)
        for (const name of node.outputs) if (name !== '') made.add(name)
      }
    }
    if (part.length === 0) break
    const read = new Set([...later, ...left].flatMap(readsOf))
    const names = [...made].filter((name) => wanted.has(name) || read.has(name))
    for (const [name, tensor] of await run(graph, part, names, results))
      if (typeCode(tensor.type) !== 0) results.set(name, tensor)
    pending = later
  }
  return results
}

async function run(
  graph: Graph,
  part: readonly GraphNode[],
  names: readonly string[],
  results: ReadonlyMap<string, RuntimeTensor>,
): Promise<ReadonlyMap<string, RuntimeTensor>> {
  if (names.length === 0) return new Map()
  const nodes = neededNodes(part, names, new Set(results.keys()))
  const used = new Set(nodes.flatMap(readsOf))
  const feeds = [...results].filter(([name]) => used.has(name))
  const inputs = feeds.map(([name, { type, dims }]) => ({ name, type: typeCode(type), shape: dims }))
  const outputs = names.map((name) => ({ name, type: 0, shape: null }))
  const constants = new Map([...graph.constants].filter(([name]) => used.has(name)))
  return runOnce({ ...graph, nodes, inputs, outputs, constants }, Object.fromEntries(feeds))
}

function isSized(info: ValueInfo | undefined): boolean {
  return info?.shape?.every((dim) => typeof dim === 'number') ?? false
}

/** The graph with types and shapes of what the nodes make, and of the constants and results that they read. */
async function withShapes(
  graph: Graph,
  pending: readonly GraphNode[],
  results: ReadonlyMap<string, RuntimeTensor>,
): Promise<Graph> {
  const given = new Map<string, Constant>()
  for (const name of new Set(pending.flatMap(readsOf))) {
    const result = results.get(name)
    const constant = graph.constants.get(name) ?? (result && toConstant(result))
    if (constant !== undefined) given.set(name, constant)
  }
  // Nodes that read what was left out over the budget make nothing, nor do those that read them.
  const possible = new Set(given.keys())
  const nodes = pending.filter((node) => {
    if (!readsOf(node).every((name) => possible.has(name))) return false
    for (const name of node.outputs) possible.add(name)
    return true
  })
  const light = (constant: Constant): boolean => byteCount(constant) <= SMALL
  const infos = [...given].map(([name, { type, dims }]): ValueInfo => ({ name, type, shape: dims }))
  const inferred = await shapesByRuntime({
    ...graph,
    nodes,
    inputs: infos.filter(({ name }) => !light(given.get(name) as Constant)),
    constants: new Map([...given].filter(([, one]) => light(one))),
  })
  return { ...graph, values: new Map([...infos.map((info) => [info.name, info] as const), ...inferred]) }
}

/** The runtime says [] both for a scalar and for an unknown rank: the extent of the tensor's own shape tells them apart. */
async function shapesByRuntime(graph: Graph): Promise<Map<string, ValueInfo>> {
  const tensors = graph.nodes
    .filter((node) => !operatorOf(node).sequences)
    .flatMap((node) => node.outputs.filter((name) => name !== ''))
  const write = new NodeWriter(numbered('limelight:rank/'))
  for (const name of tensors) write.op('Shape', [name])
  const ranks = write.nodes
  const outputs = [...tensors, ...ranks.map((node) => node.outputs[0] ?? '')].map((name) => ({
    name,
    type: 0,
    shape: null,
  }))
  if (outputs.length === 0) return new Map()
  const session = await createPlainSession({ ...graph, nodes: [...graph.nodes, ...ranks], outputs })
  try {
    const found = new Map<string, ValueInfo>()
    for (const info of session.outputMetadata) {
      if (!info.isTensor) continue
      const shape = info.shape.map((dim): Dim => (typeof dim === 'number' && dim >= 0 ? dim : null))
      found.set(info.name, { name: info.name, type: typeCode(info.type), shape })
    }
    for (const {
      inputs,
      outputs: [rank = ''],
    } of ranks) {
      const info = found.get(inputs[0] ?? '')
      if (info?.shape?.length === 0 && found.get(rank)?.shape?.[0] !== 0) found.set(info.name, { ...info, shape: null })
    }
    return found
  } finally {
    await session.release()
  }
}
