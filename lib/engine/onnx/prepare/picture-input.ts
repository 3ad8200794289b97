/** A picture's input as the contract has it, [N, C, H, W] of floats, whatever layout and type the file takes. */
import { operatorOf } from '../operators/operator-of.ts'
import { DataType, type Dim, type Graph, type GraphNode, type ValueInfo } from '../graph/graph.ts'
import { consumersOf } from '../graph/walks.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'

/** How many channels a picture has. */
const CHANNELS: readonly Dim[] = [1, 3, 4]

/**
 * TensorFlow's exporters leave channels last: such an input is turned in front of what reads it. Bytes that are cast to floats
 * before anything else are given as the floats they become, so that a gradient reaches the picture.
 */
export function withPictureFirst(graph: Graph): Graph {
  const consumers = consumersOf(graph.nodes)
  const write = new NodeWriter(numbered('limelight:picture/'))
  const renamed = new Map<string, string>()
  const inputs = graph.inputs.map((input): ValueInfo => {
    const asFloats = input.type === DataType.uint8 && isOnlyCast(input.name, consumers)
    const read = asFloats ? { ...input, type: DataType.float } : input
    const { shape } = read
    if (shape?.length !== 4) return read
    const [rows = null, second = null, third = null, last = null] = shape
    if (CHANNELS.includes(second) || !CHANNELS.includes(last)) return read
    renamed.set(read.name, write.op('Transpose', [read.name], { perm: [0, 2, 3, 1] }))
    return { ...read, shape: [rows, last, second, third] }
  })
  const values = new Map(graph.values)
  for (const input of inputs) if (values.has(input.name)) values.set(input.name, input)
  const nodes = graph.nodes.map((node) => reading(node, renamed))
  return { ...graph, inputs, values, nodes: [...write.nodes, ...nodes] }
}

function reading(node: GraphNode, renamed: ReadonlyMap<string, string>): GraphNode {
  return node.inputs.some((name) => renamed.has(name))
    ? { ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) }
    : node
}

/** Every reader names the type of what it makes, so that it takes floats as well as bytes. */
function isOnlyCast(name: string, consumers: ReadonlyMap<string, readonly GraphNode[]>): boolean {
  const readers = consumers.get(name) ?? []
  return readers.length > 0 && readers.every((node) => operatorOf(node).typeFrom === null)
}
