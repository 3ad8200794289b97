/** A question -> one ONNX graph: cut between what is given and what is asked, gradient nodes behind it. */
import type { RuleSet } from '../model.ts'
import { Builder, ROWS } from './builder.ts'
import { differentiate, type GradientGraph } from './differentiate.ts'
import { selectEarly } from './select-early.ts'
import { DataType, neededNodes, readsOf, typeIn, type Dim, type Graph, type Shape, type ValueInfo } from './graph.ts'

/** The part of a question that decides its graph: names, not values. */
export interface QuestionPlan {
  readonly replaced: readonly string[]
  readonly read: readonly string[]
  readonly of: readonly string[]
  readonly wrt: readonly string[]
  readonly rules: RuleSet
}

export interface CompiledGraph {
  readonly graph: Graph
  /** What the graph reads: model inputs and replaced taps by their own names. */
  readonly feeds: readonly string[]
  /** Output -> graph input for its cotangent. */
  readonly cotangents: ReadonlyMap<string, string>
  /** Tap -> graph output; taps that are given themselves are missing. */
  readonly reads: ReadonlyMap<string, string>
  readonly gradients: ReadonlyMap<string, string>
  /** The one tensor given, and the outputs whose cotangents have as many rows; null where the graph assumes no such thing. */
  readonly rowsOf: { readonly feed: string; readonly outputs: readonly string[] } | null
}

/** @throws AppError NOT_DIFFERENTIABLE */
export function compileQuestion(whole: Graph, plan: QuestionPlan): CompiledGraph {
  const replaced = new Set(plan.replaced)
  const graph = selectEarly(whole, new Set([...plan.replaced, ...plan.read, ...plan.of, ...plan.wrt]))
  const given = new Set([...replaced, ...graph.inputs.map((one) => one.name)])
  const gradient: GradientGraph =
    plan.wrt.length > 0
      ? differentiate(graph, { of: plan.of, wrt: plan.wrt, rules: plan.rules, replaced })
      : { builder: new Builder(graph, 'limelight:'), cotangents: new Map(), gradients: new Map() }
  const { builder } = gradient
  // An output of the graph must be made by a node of its own.
  const cotangentInputs = new Set(gradient.cotangents.values())
  const gradients = new Map<string, string>()
  for (const [tap, name] of gradient.gradients)
    gradients.set(tap, cotangentInputs.has(name) || builder.constants.has(name) ? builder.op('Identity', [name]) : name)
  const reads = new Map(plan.read.filter((name) => !given.has(name)).map((name) => [name, name]))
  for (const [tap] of reads) if (graph.constants.has(tap)) reads.set(tap, builder.op('Identity', [tap]))
  const outputs = new Set([...reads.values(), ...gradients.values()])
  const available = new Set([...given, ...cotangentInputs])
  const nodes = neededNodes([...graph.nodes, ...builder.nodes], outputs, available)
  const used = new Set(nodes.flatMap(readsOf))
  const cotangents = new Map([...gradient.cotangents].filter(([, name]) => used.has(name)))
  const feeds = [...given].filter((name) => used.has(name))
  const constants = new Map(
    [...graph.constants, ...builder.constants].filter(([name]) => used.has(name) && !given.has(name)),
  )
  // Where one tensor is given, the cotangents' rows are its rows. Saying so lets the runtime keep sums and products of
  // feature maps in its blocked layout.
  const firstDim = (name: string): Dim => graph.values.get(name)?.shape?.[0] ?? null
  const [feed = '', ...otherFeeds] = feeds
  const rows = otherFeeds.length === 0 && typeof firstDim(feed) === 'string' ? firstDim(feed) : null
  const publicShape = rows === null ? withoutSymbols : withRows(rows)
  const inputs: ValueInfo[] = [
    ...feeds.map((name): ValueInfo => {
      const info = graph.values.get(name)
      return { name, type: typeIn(graph, name) || DataType.float, shape: publicShape(info?.shape) }
    }),
    ...[...cotangents].map(([of, name]): ValueInfo => {
      return { name, type: DataType.float, shape: publicShape(graph.values.get(of)?.shape) }
    }),
  ]
  const opsets = new Map(graph.opsets)
  for (const domain of builder.domains) if (!opsets.has(domain)) opsets.set(domain, 1)
  const compiled: Graph = {
    ...graph,
    nodes,
    constants,
    inputs,
    opsets,
    stated: rows !== null ? builder.stated.filter((one) => used.has(one.name)) : [],
    outputs: [...outputs].map((name) => ({ name, type: 0, shape: null })),
  }
  const sameRows = [...cotangents.keys()].filter((name) => firstDim(name) === rows)
  const rowsOf = rows === null ? null : { feed, outputs: sameRows }
  return { graph: compiled, feeds, cotangents, reads, gradients, rowsOf }
}

type GivenShape = Shape | null | undefined

/** Symbols stay out of the compiled graph: two of them may well be equal in one question and differ in the next. */
function withoutSymbols(shape: GivenShape): Shape | null {
  return shape?.map((dim) => (typeof dim === 'number' ? dim : null)) ?? null
}

/** The same but for the first axis, where it is `rows`. */
function withRows(rows: Dim): (shape: GivenShape) => Shape | null {
  return (shape) => withoutSymbols(shape)?.map((dim, axis) => (axis === 0 && shape?.[0] === rows ? ROWS : dim)) ?? null
}
