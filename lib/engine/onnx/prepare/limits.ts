/** What no model may ask for: such a file is damaged, or made to do harm, and would take its worker with it. */
import { absurdWindow, bytesOfTensor, effortOf } from './effort.ts'
import { badModel, describeNode, readsOf, type Graph, type GraphNode } from '../graph/graph.ts'
import { byteCount } from '../graph/stored.ts'

/** Held at once in one run. The largest picture encoders take half of it. */
export const MOST_BYTES = 4 * 2 ** 30
/** One run on one core, roughly; methods ask for tens to thousands of runs. */
const MOST_SECONDS = 600

/** Folding goes up to this by itself, or to this many times the file's own weights: 4 bits become 32, with a copy to spare. */
const FOLDED_BYTES = 64 * 2 ** 20
const FOLDED_WEIGHTS = 10
/** Nodes that read only constants, which ONNX Runtime folds itself when a question is prepared. */
const CONSTANT_BYTES = 2 ** 30

function weightBytes(graph: Graph): number {
  let bytes = 0
  for (const constant of graph.constants.values()) bytes += byteCount(constant)
  return bytes
}

/** Bytes that constants may take when they are computed from a file's own. */
export function foldedBytes(graph: Graph): number {
  return Math.max(FOLDED_BYTES, FOLDED_WEIGHTS * weightBytes(graph))
}

export function inWords(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(2)} GB`
}

/** Tensors that nodes hold at one time, in bytes: made, and still to be read. */
export class Held {
  bytes = 0
  readonly #readers = new Map<string, number>()

  /** Tensors in `kept` are held to the end. */
  constructor(nodes: readonly GraphNode[], kept: Iterable<string>) {
    for (const node of nodes)
      for (const name of new Set(readsOf(node))) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1)
    for (const name of kept) this.#readers.set(name, Infinity)
  }

  /** What is held while the node runs: its outputs come, and what only it still read goes. */
  during(graph: Graph, node: GraphNode): number {
    this.bytes += effortOf(graph, node).bytes
    const most = this.bytes
    for (const name of new Set(readsOf(node))) {
      const left = (this.#readers.get(name) ?? 1) - 1
      this.#readers.set(name, left)
      if (left === 0 && !graph.constants.has(name)) this.bytes -= bytesOfTensor(graph, name)
    }
    return most
  }
}

/**
 * Looks at a graph whose shapes are inferred, before it is run for the first time.
 * @throws AppError BAD_MODEL where one run would take absurdly much memory or time.
 */
export function refuseExcess(graph: Graph): void {
  const known = new Set(graph.constants.keys())
  const mostConstant = Math.max(CONSTANT_BYTES, foldedBytes(graph))
  const held = new Held(
    graph.nodes,
    [...graph.inputs, ...graph.outputs].map((one) => one.name),
  )
  for (const { name } of graph.inputs) held.bytes += bytesOfTensor(graph, name)
  if (held.bytes > MOST_BYTES) throw badModel(`Its inputs take ${inWords(held.bytes)}. ${ADVICE}`)
  let seconds = 0
  for (const node of graph.nodes) {
    const window = absurdWindow(graph, node)
    if (window !== null) throw badModel(`${describeNode(node)}: ${window}. The file is damaged.`)
    const effort = effortOf(graph, node)
    const constant = readsOf(node).every((name) => known.has(name))
    if (constant) for (const name of node.outputs) known.add(name)
    if (constant && effort.bytes > mostConstant)
      throw badModel(
        `${describeNode(node)} makes a constant of ${inWords(effort.bytes)}, at most ${inWords(mostConstant)} are expected of a file of this size. Export the model with smaller constants.`,
      )
    const bytes = held.during(graph, node)
    if (bytes > MOST_BYTES)
      throw badModel(
        `${describeNode(node)}: one run holds ${inWords(bytes)} there, and at most ${inWords(MOST_BYTES)} are allowed. ${ADVICE}`,
      )
    seconds += effort.seconds
    if (seconds > MOST_SECONDS)
      throw badModel(
        `${describeNode(node)}: one run takes about ${Math.ceil(seconds / 60).toLocaleString('en')} minutes, and at most ${MOST_SECONDS / 60} are allowed. ${ADVICE}`,
      )
  }
}

const ADVICE = 'Export the model with a smaller input.'
