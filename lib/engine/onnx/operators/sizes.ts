/** How large an operator's output will be, computed in the graph from the input that sets it. */
import { DataType, type GraphNode } from '../graph/graph.ts'
import type { NodeWriter } from '../graph/node-writer.ts'

export interface SizeClaim {
  /** Which input sets the size. */
  readonly input: number
  /** The name of a float: how many elements there will be. */
  readonly elements: string
  /** The type of that input: int64 where left out, 'any' where it is not said before the run. */
  readonly type?: 'float' | 'any'
}

/** Null for a variant whose size nothing sets. */
export type SizeOf = (node: GraphNode, write: NodeWriter) => SizeClaim | null

/** Axes of a tensor at most. */
const MOST_AXES = 8

/** All values multiplied: a float, which overflows to infinity. */
function product(write: NodeWriter, name: string): string {
  return write.op('ReduceProd', [write.cast(name, DataType.float)], { keepdims: 0 })
}
function size(write: NodeWriter, name: string): string {
  return write.cast(write.op('Size', [name]), DataType.float)
}
/** Extents, with ones in front. */
function aligned(write: NodeWriter, extents: string): string {
  const padded = write.op('Concat', [write.ints(Array<number>(MOST_AXES).fill(1)), extents], { axis: 0 })
  return write.cast(write.op('Slice', [padded, write.ints([-MOST_AXES]), write.ints([2 ** 31])]), DataType.float)
}

/** The input is the shape itself. */
export const shapeSize: SizeOf = ({ inputs: [shape = ''] }, write) => ({ input: 0, elements: product(write, shape) })

export const expandSize: SizeOf = ({ inputs: [x = '', shape = ''] }, write) => {
  const extents = write.op('Max', [aligned(write, write.op('Shape', [x])), aligned(write, shape)])
  return { input: 1, elements: product(write, extents) }
}

/** So many times the first input's; `type` is that of the number. */
export const timesSize =
  (type?: SizeClaim['type']): SizeOf =>
  ({ inputs: [x = '', times = ''] }, write) => {
    const elements = write.mul(size(write, x), product(write, times))
    return { input: 1, elements, ...(type && { type }) }
  }

export const rangeSize: SizeOf = ({ inputs }, write) => {
  const [start = '', limit = '', delta = ''] = [0, 1, 2].map((at) => write.cast(inputs[at] ?? '', DataType.float))
  return { input: 1, elements: product(write, write.div(write.sub(limit, start), delta)), type: 'any' }
}

/** An upper bound: the largest pad on both sides of every axis. */
export const padSize: SizeOf = ({ inputs: [x = '', pads = ''] }, write) => {
  const added = write.op('ReduceMax', [write.cast(pads, DataType.float)], { keepdims: 0 })
  const extents = write.add(write.cast(write.op('Shape', [x]), DataType.float), write.add(added, added))
  return { input: 1, elements: product(write, extents) }
}

export const resizeSize: SizeOf = ({ inputs: [x = '', , scales = '', sizes = ''], attributes }, write) => {
  if (sizes === '') return { input: 2, elements: write.mul(size(write, x), product(write, scales)), type: 'float' }
  const made = product(write, sizes)
  return { input: 3, elements: attributes['axes'] ? write.mul(size(write, x), made) : made }
}
