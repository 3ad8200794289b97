/**
 * Operators that treat the positions along an axis one by one: what they make of one position comes of the same position of
 * what they read, so that a selection behind them may stand in front.
 */
import { placeOf } from '../graph/builder.ts'
import {
  intAttribute,
  intsAttribute,
  shapeIn,
  type Dim,
  type Graph,
  type GraphNode,
  type Shape,
} from '../graph/graph.ts'

/** For each input the axis that is the output's, or null where it is needed whole. */
export type AxisOfEachInput = readonly (number | null)[]

/** What `axis` of the output is in each input; null where positions along it do not stay apart, or that is not certain. */
export type InputAxes = (operands: Operands, axis: number) => AxisOfEachInput | null

export interface Operands {
  readonly node: GraphNode
  /** Of the output. */
  readonly result: Shape
  /** Of the inputs, the first one's known. */
  readonly shapes: readonly (Shape | null)[]
  readonly first: Shape
}

/** @returns null where the shapes that have to be known are not. */
export function operandsOf(graph: Graph, node: GraphNode): Operands | null {
  const result = shapeIn(graph, node.outputs[0] ?? '')
  const shapes = node.inputs.map((name) => (name === '' ? null : shapeIn(graph, name)))
  const [first] = shapes
  return result === null || !first ? null : { node, result, shapes, first }
}

function sameDim(one: Dim | undefined, other: Dim | undefined): boolean {
  return one !== undefined && one !== null && one === other
}

/** The axis of an operand that broadcasting lines up with `axis` of the result; undefined where that is not certain. */
function alignedAxis(operand: Shape | null, result: Shape, axis: number): number | null | undefined {
  if (operand === null) return undefined
  const own = axis - (result.length - operand.length)
  if (own < 0 || operand[own] === 1) return null
  return sameDim(operand[own], result[axis]) ? own : undefined
}

function certain(axes: readonly (number | null | undefined)[]): AxisOfEachInput | null {
  return axes.every((one): one is number | null => one !== undefined) ? axes : null
}

function normalisedAxis({ node, result }: Operands): number {
  return placeOf(intAttribute(node, 'axis') ?? -1, result.length)
}

export const broadcastAxes: InputAxes = ({ node, result, shapes }, axis) =>
  certain(node.inputs.map((name, at) => (name === '' ? null : alignedAxis(shapes[at] ?? null, result, axis))))

/** It normalises from its axis on; scale and bias are needed whole. */
export const normalizationAxes: InputAxes = (operands, axis) =>
  axis < normalisedAxis(operands) ? [axis, ...operands.node.inputs.slice(1).map(() => null)] : null

export const softmaxAxes: InputAxes = (operands, axis) => (axis !== normalisedAxis(operands) ? [axis] : null)

export const transposeAxes: InputAxes = ({ node }, axis) => certain([intsAttribute(node, 'perm')?.[axis]])

/** An axis stays what it is where nothing in front of it changes. A number made a list has no axis to begin with. */
export const reshapeAxes: InputAxes = ({ first, result }, axis) =>
  axis < first.length && first.slice(0, axis + 1).every((dim, at) => sameDim(dim, result[at])) ? [axis, null] : null

export const matMulAxes: InputAxes = ({ result, shapes: [a, b] }, axis) => {
  if (!a || !b || a.length < 2 || b.length < 2) return null
  const place = axis - result.length
  if (place === -2) return [a.length - 2, null]
  if (place === -1) return [null, b.length - 1]
  return certain([alignedAxis(a, result, axis), alignedAxis(b, result, axis)])
}

export const gemmAxes: InputAxes = ({ node, result, shapes: [, , c] }, axis) => {
  if (axis !== 0 || (intAttribute(node, 'transA') ?? 0) !== 0) return null
  return certain([0, null, ...(node.inputs[2] ? [alignedAxis(c ?? null, result, 0)] : [])])
}
