/**
 * Maps that are not in the file (`graph.maps`), written into it for a question that names them. One that is only read stands
 * beside the graph. One that is replaced or differentiated stands in it: what read the tensor now reads the map, laid out as the
 * tensor was, with the tokens around it as they were.
 */
import { DataType, type Dim, type Graph, type GraphNode, type MapView, type ValueInfo } from '../graph/graph.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'

/** @param through maps that the run starts from or goes back to, @param beside those that are read only */
export function withMaps(graph: Graph, through: ReadonlySet<string>, beside: ReadonlySet<string>): Graph {
  const wanted = new Map<string, [string, MapView][]>()
  for (const [name, view] of graph.maps ?? [])
    if (through.has(name) || beside.has(name)) wanted.set(view.of, [...(wanted.get(view.of) ?? []), [name, view]])
  if (wanted.size === 0) return graph
  const write = new NodeWriter(numbered('limelight:map/'))
  const values = new Map(graph.values)
  const renamed = new Map<string, string>()
  for (const node of graph.nodes) {
    write.put(renamed.size === 0 ? node : reading(node, renamed))
    for (const tensor of node.outputs)
      for (const [name, view] of wanted.get(tensor) ?? []) {
        const laid = new LaidOut(write, values, view)
        laid.writeView(name)
        if (through.has(name)) renamed.set(tensor, laid.writeBack(name))
      }
  }
  return { ...graph, nodes: write.nodes, constants: new Map([...graph.constants, ...write.constants]), values }
}

function reading(node: GraphNode, renamed: ReadonlyMap<string, string>): GraphNode {
  if (!node.inputs.some((name) => renamed.has(name))) return node
  return { ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) }
}

/** Writes one map and the way back; every tensor's shape is stated, as gradient rules ask for it. */
class LaidOut {
  readonly #write: NodeWriter
  readonly #values: Map<string, ValueInfo>
  readonly #view: MapView

  constructor(write: NodeWriter, values: Map<string, ValueInfo>, view: MapView) {
    this.#write = write
    this.#values = values
    this.#view = view
  }

  /** [N, T, E] or [N, H, W, C] -> [N, C, H, W] */
  writeView(name: string): void {
    const { of, tokens, factors, map } = this.#view
    const shown = tokens ? this.#slice(tokens.leading, tokens.leading + tokens.count) : of
    this.#reshape(this.#transpose(this.#reshape(shown, factors), this.#view.order), map, name)
  }

  /** The tensor with a map in place of what the map shows. @returns its name */
  writeBack(map: string): string {
    const { of, tokens, factors, extents, order } = this.#view
    const ordered = order.slice(1).map((axis) => factors[axis - 1] ?? 1)
    const inverse = order.map((_, axis) => order.indexOf(axis))
    const shown = this.#reshape(this.#transpose(this.#reshape(map, ordered), inverse), extents)
    if (tokens === null) return shown
    const { axis, leading, count, extent } = tokens
    const before = leading > 0 ? [this.#slice(0, leading)] : []
    const after = leading + count < extent ? [this.#slice(leading + count, extent)] : []
    const whole = this.#write.op('Concat', [...before, shown, ...after], { axis })
    return this.#state(whole, this.#values.get(of)?.shape?.slice(1) ?? [])
  }

  #state(name: string, extents: readonly Dim[]): string {
    const rows = this.#values.get(this.#view.of)?.shape?.[0] ?? null
    this.#values.set(name, { name, type: DataType.float, shape: [rows, ...extents] })
    return name
  }

  #extents(name: string): readonly Dim[] {
    return this.#values.get(name)?.shape?.slice(1) ?? []
  }

  #reshape(x: string, extents: readonly number[], name?: string): string {
    if (name === undefined && this.#extents(x).join() === extents.join()) return x
    // 0 keeps the rows of the batch, however many.
    const target = this.#write.ints([0, ...extents])
    return this.#state(this.#write.op('Reshape', [x, target], {}, name), extents)
  }

  #transpose(x: string, order: readonly number[]): string {
    const extents = this.#extents(x)
    const turned = order.slice(1).map((axis) => extents[axis - 1] ?? null)
    return this.#state(this.#write.op('Transpose', [x], { perm: [...order] }), turned)
  }

  #slice(from: number, to: number): string {
    const { of, tokens } = this.#view
    const axis = tokens?.axis ?? 1
    const bounds = [from, to, axis].map((one) => this.#write.ints([one]))
    const extents = this.#extents(of).map((dim, at) => (at + 1 === axis ? to - from : dim))
    return this.#state(this.#write.op('Slice', [of, ...bounds]), extents)
  }
}
