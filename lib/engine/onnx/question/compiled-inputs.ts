/** What a compiled graph states of its inputs: types, shapes, and whose rows are the same. */
import { ROWS } from '../graph/builder.ts'
import { DataType, typeIn, type Dim, type Graph, type Shape, type ValueInfo } from '../graph/graph.ts'

export interface InputNames {
  /** Model inputs and replaced taps that are fed. */
  readonly feeds: readonly string[]
  /** Those that formulas compute. */
  readonly made: readonly string[]
  /** Output -> graph input for its cotangent. */
  readonly cotangents: ReadonlyMap<string, string>
  /** Output -> its cotangent, where formulas compute that. */
  readonly computed: ReadonlyMap<string, string>
  /** Tensor that formulas name -> graph input. */
  readonly given: ReadonlyMap<string, string>
  /** Input or tap -> graph input for its value in the reference pass. */
  readonly references: ReadonlyMap<string, string>
}

export interface InputDescription {
  readonly inputs: readonly ValueInfo[]
  /** Inputs that must have as many rows as each other; empty where the graph assumes no such thing. */
  readonly sameRows: readonly string[]
  /** Shapes to state of inner tensors, given those that gradient rules know. */
  readonly stated: (byRules: readonly ValueInfo[]) => readonly ValueInfo[]
}

/**
 * Where one tensor is given, the cotangents' rows are its rows. Saying so lets the runtime keep sums and products of feature
 * maps in its blocked layout.
 *
 * @param shapes of what formulas name, the first axis null where it is the batch's rows
 */
export function describeInputs(
  graph: Graph,
  { feeds, made, cotangents, computed, given, references }: InputNames,
  shapes: Readonly<Record<string, readonly (number | null)[]>>,
): InputDescription {
  const firstDim = (name: string): Dim => graph.values.get(name)?.shape?.[0] ?? null
  const perRow = [...given].filter(([name]) => shapes[name]?.[0] === null).map(([, input]) => input)
  const [only = '', ...others] = [...feeds, ...made]
  const hasRows = others.length === 0 && (feeds.length === 1 || perRow.length > 0)
  const rows = hasRows && typeof firstDim(only) === 'string' ? firstDim(only) : null
  const infoOf = (name: string): ValueInfo => {
    const shape = publicShape(graph.values.get(name)?.shape ?? null, rows)
    return { name, type: typeIn(graph, name) || DataType.float, shape }
  }
  const cotangentInfo = ([of, name]: readonly [string, string]): ValueInfo => ({
    ...infoOf(of),
    name,
    type: DataType.float,
  })
  const withTheseRows = [...cotangents].filter(([of]) => firstDim(of) === rows).map(([, input]) => input)
  const computedWithThem = [...computed].filter(([of]) => firstDim(of) === rows)
  return {
    inputs: [
      ...feeds.map(infoOf),
      ...[...cotangents].map(cotangentInfo),
      ...[...given].map(([name, input]) => {
        const shape = shapes[name]?.map((dim, axis) => (axis === 0 && dim === null ? ROWS : dim)) ?? null
        return { name: input, type: DataType.float, shape }
      }),
      // One row or many: the first axis is open, whatever the rows of the question are called.
      ...[...references].map(([of, input]) => ({
        ...infoOf(of),
        name: input,
        shape: openRows(graph.values.get(of)?.shape ?? null),
      })),
    ],
    sameRows: rows === null ? perRow : [...feeds, ...perRow, ...withTheseRows],
    stated: (byRules) =>
      rows === null ? [] : [...byRules, ...made.map(infoOf), ...computedWithThem.map(cotangentInfo)],
  }
}

function openRows(shape: Shape | null): Shape | null {
  return shape && shape.map((dim, axis) => (axis > 0 && typeof dim === 'number' ? dim : null))
}

/** Symbols stay out of it, but for `rows` on the first axis: two may well be equal in one question and differ in the next. */
function publicShape(shape: Shape | null, rows: Dim): Shape | null {
  const known = (dim: Dim, axis: number): Dim => (axis === 0 && rows !== null && dim === rows ? ROWS : null)
  return shape && shape.map((dim, axis) => (typeof dim === 'number' ? dim : known(dim, axis)))
}
