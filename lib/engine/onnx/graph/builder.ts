/**
 * Writes nodes behind a graph: what gradient rules build with. Values known before the run are used where they are
 * (a static shape becomes a constant), and `Shape` nodes where they are not, so that one gradient graph serves every
 * batch size and length.
 */
import { AppError } from '../../../errors.ts'
import { sizeOf } from '../../../tensor/tensor.ts'
import { floatConstant, floatsOf, intsOf } from './constant.ts'
import { NodeWriter, numbered } from './node-writer.ts'
import {
  carriesFloats,
  DataType,
  describeNode,
  shapeIn,
  typeIn,
  type Constant,
  type Dim,
  type Graph,
  type GraphNode,
  type Shape,
  type ValueInfo,
} from './graph.ts'

/** A cotangent: the name of the graph input, and the tensor of whose shape it is. */
export interface Seed {
  readonly name: string
  readonly of: string
}

/** The first axis of what is given with a run, where that is one tensor and the cotangents. */
export const ROWS = 'N'

export class Builder extends NodeWriter {
  readonly graph: Graph
  readonly seed: Seed | null
  readonly #cached = new Map<string, string>()
  readonly #stated: ValueInfo[] = []

  constructor(graph: Graph, prefix: string, seed: Seed | null = null) {
    super(numbered(prefix))
    this.graph = graph
    this.seed = seed
  }

  /** Shapes that rules know better than the runtime's inference. */
  get stated(): readonly ValueInfo[] {
    return this.#stated
  }
  /** States the shape [N, ...extents] of a float tensor that a rule has written. */
  stateRows(name: string, extents: readonly number[]): void {
    this.#stated.push({ name, type: DataType.float, shape: [ROWS, ...extents] })
  }

  /** What `make` writes, once for each key. */
  once(key: string, make: () => string): string {
    let name = this.#cached.get(key)
    if (name === undefined) this.#cached.set(key, (name = make()))
    return name
  }

  override float(value: number): string {
    return this.once(`float ${value}`, () => super.float(value))
  }

  /** A float tensor of one value. */
  filled(value: number, dims: readonly number[]): string {
    return this.once(`filled ${value} ${dims.join()}`, () => {
      const size = dims.reduce((product, dim) => product * dim, 1)
      return this.constant(floatConstant(new Float32Array(size).fill(value), dims))
    })
  }

  override ints(values: readonly number[]): string {
    return this.once(`ints ${values.join()}`, () => super.ints(values))
  }
  override int(value: number): string {
    return this.once(`int ${value}`, () => super.int(value))
  }

  /** The value of a tensor that is known before the run. */
  value(name: string | undefined): Constant | undefined {
    return name === undefined ? undefined : (this.graph.constants.get(name) ?? this.constants.get(name))
  }
  intsIn(name: string | undefined): number[] | undefined {
    const constant = this.value(name)
    return constant && intsOf(constant)
  }
  floatsIn(name: string | undefined): Float32Array | undefined {
    const constant = this.value(name)
    return constant && floatsOf(constant)
  }
  /** The value of a float tensor with one element; undefined for any other tensor. */
  scalarIn(name: string | undefined): number | undefined {
    const constant = this.value(name)
    if (constant === undefined || sizeOf(constant.dims) !== 1 || !carriesFloats(constant.type)) return undefined
    return floatsOf(constant)[0]
  }

  /** The value of a tensor with one element, of any numeric type. */
  numberIn(name: string | undefined): number | undefined {
    const constant = this.value(name)
    if (constant === undefined || sizeOf(constant.dims) !== 1) return undefined
    return constant.type === DataType.int64 || constant.type === DataType.int32
      ? intsOf(constant)[0]
      : floatsOf(constant)[0]
  }

  /** Shape of a tensor of the model; null where its rank is unknown. */
  shape(name: string): Shape | null {
    return this.constants.get(name)?.dims ?? shapeIn(this.graph, name)
  }
  /** @throws AppError NOT_DIFFERENTIABLE where the rank is unknown. */
  shapeFor(node: GraphNode, name: string): Shape {
    const shape = this.shape(name)
    if (shape === null)
      throw new AppError({
        code: 'NOT_DIFFERENTIABLE',
        message: `${describeNode(node)}: the rank of "${name}" is unknown. Export the model with static ranks.`,
      })
    return shape
  }
  type(name: string): number {
    return this.constants.get(name)?.type ?? typeIn(this.graph, name)
  }

  /** The shape of a tensor as an int64 vector: a constant where it is static. */
  shapeOf(name: string): string {
    const shape = this.shape(name)
    if (shape?.every((dim) => typeof dim === 'number')) return this.ints(shape)
    return this.once(`shape ${name}`, () => this.op('Shape', [name]))
  }

  /** Like {@link shapeOf}, for Reshape only: one unknown extent becomes -1, which spares a node. */
  reshapeTarget(name: string): string {
    const shape = this.shape(name)
    const unknown = shape?.filter((dim) => typeof dim !== 'number').length
    if (shape && unknown === 1 && !shape.includes(0))
      return this.ints(shape.map((dim) => (typeof dim === 'number' ? dim : -1)))
    return this.shapeOf(name)
  }

  /** One extent as an int64 vector of length 1. */
  extentOf(name: string, axis: number): string {
    const dim = this.shape(name)?.at(axis)
    if (typeof dim === 'number') return this.ints([dim])
    return this.once(`extent ${axis} ${name}`, () =>
      this.op('Gather', [this.shapeOf(name), this.ints([axis])], { axis: 0 }),
    )
  }

  /**
   * How many values of `name` a reduction over `axes` (null: unknown ones) turns into one of `of`, as a float scalar: known
   * now where those extents are.
   */
  countPer(name: string, of: string, axes: readonly number[] | null): string {
    const extents = axes?.map((axis) => this.shape(name)?.[axis])
    if (extents?.every((dim) => typeof dim === 'number'))
      return this.float(extents.reduce((product, dim) => product * dim, 1))
    const size = (one: string): string => this.op('Cast', [this.op('Size', [one])], { to: 1 })
    return this.div(size(name), size(of))
  }

  /** Gives `a` the shape that the tensor `like` has; `now` is a tensor of the shape that `a` has. */
  reshapeLike(a: string, like: string, now?: string): string {
    const [rows, ...rest] = this.shape(like) ?? []
    const same = typeof rows === 'string' && rows === (now === undefined ? undefined : this.shape(now)?.[0])
    const known = rest.filter((dim): dim is number => typeof dim === 'number' && dim > 0)
    // 0 says "as it was": the runtime then knows that the rows are the same ones.
    const target = same && known.length === rest.length ? this.ints([0, ...known]) : null
    return this.op('Reshape', [a, target ?? this.reshapeTarget(like)])
  }
  /** Widens `a`, which has one value along each of `axes` and the extents of `like` along the others. */
  expandLike(a: string, like: string, axes: readonly number[]): string {
    const target = this.shape(like)?.map((dim, axis) => (axes.includes(axis) ? dim : 1))
    const known = target?.every((dim) => typeof dim === 'number')
    return this.op('Expand', [a, known ? this.ints(target) : this.shapeOf(like)])
  }
  /**
   * A zero for each row of `like`, [N, 1, 1, 1], which the runtime cannot work out before the run; null where the cotangent
   * is not known to have the same rows.
   */
  zeroPerRow(like: string): string | null {
    const { seed } = this
    const [rows, ...rest] = (seed && this.shape(seed.of)) ?? []
    if (seed === null || rows === undefined || rows === null || rows !== this.shape(like)?.[0]) return null
    return this.once('zero per row', () => {
      const all = (value: number): string => this.ints(rest.map(() => value))
      const axes = this.ints(rest.map((_, axis) => axis + 1))
      const first = rest.length === 0 ? seed.name : this.op('Slice', [seed.name, all(0), all(1), axes])
      return this.op('Clip', [this.reshape(first, this.ints([0, 1, 1, 1])), this.float(0), this.float(0)])
    })
  }
  zerosLike(like: string): string {
    return this.op('Expand', [this.float(0), this.shapeOf(like)])
  }

  /**
   * Sums a gradient of shape `from` down to the shape of the tensor `to`: undoes broadcasting. Axes are chosen now where
   * the extents are known, by comparing shapes at run time where not.
   */
  sumTo(gradient: string, from: Shape | null, to: string): string {
    const target = this.shape(to)
    if (from === null || target === null) return this.#sumToAtRunTime(gradient, to)
    const lead = from.length - target.length
    const leading = Array.from({ length: Math.max(lead, 0) }, (_, axis) => axis)
    const widened: number[] = []
    for (const [axis, dim] of target.entries()) {
      const verdict = compareExtents(from[axis + lead] ?? null, dim)
      if (verdict === 'unknown') return this.#sumToAtRunTime(gradient, to)
      if (verdict === 'widened') widened.push(axis + lead)
    }
    if (leading.length + widened.length === 0) return gradient
    if (leading.length === 0) return this.sum(gradient, widened, true)
    if (widened.length === 0) return this.sum(gradient, leading, false)
    return this.squeeze(this.sum(gradient, [...leading, ...widened], true), leading)
  }

  #sumToAtRunTime(gradient: string, to: string): string {
    const target = this.shapeOf(to)
    const from = this.op('Shape', [gradient])
    const missing = this.sub(this.op('Shape', [from]), this.op('Shape', [target]))
    const ones = this.op('Expand', [this.ints([1]), missing])
    const padded = this.op('Concat', [ones, target], { axis: 0 })
    const differs = this.op('Not', [this.op('Equal', [from, padded])])
    const axes = this.op('Reshape', [this.op('NonZero', [differs]), this.ints([-1])])
    const summed = this.op('ReduceSum', [gradient, axes], { keepdims: 1, noop_with_empty_axes: 1 })
    return this.reshape(summed, target)
  }
}

/** Is an extent of a broadcast result the operand's own, or was it widened from 1? */
function compareExtents(result: Dim, operand: Dim): 'same' | 'widened' | 'unknown' {
  if (operand !== null && result === operand) return 'same'
  if (operand === 1) return result === null ? 'unknown' : 'widened'
  // An operand that is not 1 is never widened, whatever the result's extent is called.
  if (typeof operand === 'number') return 'same'
  return 'unknown'
}

/** Turns a negative axis into its place. */
export function placeOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}
