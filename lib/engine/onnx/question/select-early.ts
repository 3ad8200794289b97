/**
 * A classifier that reads one token ([CLS], the last one) of its last layer computes that layer for every token and throws
 * the rest away. Here the selection is moved in front of the operators that treat positions one by one, as far as they go: of
 * the last attention layer only keys and values are left for the other tokens, on the way forward and back.
 */
import { placeOf } from '../graph/builder.ts'
import { intConstant, intsOf } from '../graph/constant.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { broadcastAxes, operandsOf, type AxisOfEachInput } from '../operators/positions.ts'
import { NodeWriter, numbered } from '../graph/node-writer.ts'
import {
  intAttribute,
  nameOf,
  shapeIn,
  typeIn,
  type Constant,
  type Graph,
  type GraphNode,
  type Shape,
} from '../graph/graph.ts'
import { consumersOf } from '../graph/walks.ts'

/** The position `index` along `axis`; the axis stays, with extent 1. */
interface Selection {
  readonly axis: number
  readonly index: number
}

/** For each input the axis along which to select there, or null to leave it whole; null altogether where it cannot be done. */
function inputAxes(graph: Graph, node: GraphNode, axis: number): AxisOfEachInput | null {
  const { elementwise, inputAxes: own } = operatorOf(node)
  const operands = node.domain !== '' || node.captures ? null : operandsOf(graph, node)
  return operands && ((elementwise ? broadcastAxes : own)?.(operands, axis) ?? null)
}

/** The shape a Reshape of the selected tensor asks for; null where it cannot be written. */
function reshapeTarget(result: Shape, axis: number): Constant | null {
  const target = result.map((dim, at) => (at < axis ? 0 : at === axis ? 1 : typeof dim === 'number' ? dim : -1))
  if (target.filter((dim) => dim === -1).length > 1 || result.slice(axis + 1).includes(0)) return null
  return intConstant(target)
}

/** Where a Gather picks one position of a computed tensor. */
function selectionOf(graph: Graph, node: GraphNode): Selection | null {
  const [data = '', indices = ''] = node.inputs
  if (node.operator !== 'Gather' || node.domain !== '' || graph.constants.has(data)) return null
  const constant = graph.constants.get(indices)
  const rank = shapeIn(graph, data)?.length
  if (constant === undefined || rank === undefined || constant.dims.length > 1) return null
  const [index, ...more] = intsOf(constant)
  if (index === undefined || more.length > 0) return null
  return { axis: placeOf(intAttribute(node, 'axis') ?? 0, rank), index }
}

function agreed(selections: readonly (Selection | undefined)[]): Selection | null {
  const [first] = selections
  if (first === undefined) return null
  return selections.every((one) => one?.axis === first.axis && one.index === first.index) ? first : null
}

/** The same graph with selections made as early as they can be; tensors in `kept` stay whole. */
export function selectEarly(graph: Graph, kept: ReadonlySet<string>): Graph {
  const starts = new Map<GraphNode, Selection>()
  for (const node of graph.nodes) {
    const selection = selectionOf(graph, node)
    if (selection !== null) starts.set(node, selection)
  }
  if (starts.size === 0) return graph

  // Backwards: which nodes are asked for one position only, by everyone who reads them?
  const consumers = consumersOf(graph.nodes)
  const outputs = new Set(graph.outputs.map((one) => one.name))
  const wanted = new Map<GraphNode, ReadonlyMap<string, Selection>>()
  const moved = new Map<GraphNode, Selection>()
  for (const node of graph.nodes.toReversed()) {
    const start = starts.get(node)
    if (start !== undefined) {
      wanted.set(node, new Map([[node.inputs[0] ?? '', start]]))
      continue
    }
    const [name = '', ...others] = node.outputs
    if (kept.has(name) || outputs.has(name) || others.some((one) => consumers.has(one) || kept.has(one))) continue
    const selection = agreed((consumers.get(name) ?? []).map((one) => wanted.get(one)?.get(name)))
    const axes = selection === null ? null : inputAxes(graph, node, selection.axis)
    const result = shapeIn(graph, name)
    if (selection === null || axes === null || result === null) continue
    if (node.operator === 'Reshape' && reshapeTarget(result, selection.axis) === null) continue
    const own = node.inputs.flatMap((input, at): [string, Selection][] => {
      const axis = axes[at]
      return typeof axis === 'number' ? [[input, { axis, index: selection.index }]] : []
    })
    // One tensor in two places of a node, selected differently: left alone.
    if (new Set(own.map(([input]) => input)).size < own.length && agreed(own.map(([, one]) => one)) === null) continue
    if (node.inputs.some((input, at) => axes[at] === null && own.some(([one]) => one === input))) continue
    moved.set(node, selection)
    wanted.set(node, new Map(own))
  }
  if (moved.size === 0) return graph

  // Forwards: the moved nodes on selected inputs, under names of their own.
  const producers = new Map([...moved.keys()].map((node) => [node.outputs[0] ?? '', node]))
  const values = new Map(graph.values)
  const constants = new Map(graph.constants)
  const write = new NodeWriter(numbered('limelight:selected/'))
  const made = new Set<string>()
  const selectedName = (name: string, { axis, index }: Selection): string =>
    `limelight:selected/${axis}/${index}/${name}`
  const state = (name: string, selected: string, { axis }: Selection): void => {
    const shape = shapeIn(graph, name)?.map((dim, at) => (at === axis ? 1 : dim)) ?? null
    values.set(selected, { name: selected, type: typeIn(graph, name), shape })
  }
  const select = (name: string, selection: Selection): string => {
    const selected = selectedName(name, selection)
    if (producers.has(name) || made.has(selected)) return selected
    made.add(selected)
    const index = `limelight:selected/index/${selection.index}`
    constants.set(index, intConstant([selection.index]))
    write.op('Gather', [name, index], { axis: selection.axis }, selected)
    state(name, selected, selection)
    return selected
  }
  for (const node of graph.nodes) {
    const start = starts.get(node)
    const [data = ''] = node.inputs
    if (start !== undefined && producers.has(data)) {
      // What is left to do is to take the only position, in the rank that the indices give.
      const dims = graph.constants.get(node.inputs[1] ?? '')?.dims ?? []
      const first = `limelight:selected/first/${dims.length}`
      constants.set(first, intConstant([0], dims))
      write.put({ ...node, inputs: [select(data, start), first] })
      continue
    }
    write.put(node)
    const selection = moved.get(node)
    if (selection === undefined) continue
    const [name = ''] = node.outputs
    const selected = selectedName(name, selection)
    const inputs = node.inputs.map((input) => {
      const own = wanted.get(node)?.get(input)
      return own === undefined ? input : select(input, own)
    })
    let { attributes } = node
    if (node.operator === 'Reshape') {
      attributes = {} // without allowzero: 0 is "as it was"
      const target = `${selected}/shape`
      constants.set(target, reshapeTarget(shapeIn(graph, name) ?? [], selection.axis) as Constant)
      inputs[1] = target
    }
    const [origin, copyOf] = [node.origin ?? name, nameOf(node)]
    write.put({ ...node, name: selected, origin, copyOf, inputs, outputs: [selected], attributes })
    state(name, selected, selection)
  }
  return { ...graph, nodes: write.nodes, values, constants }
}
