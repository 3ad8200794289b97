/**
 * Reverse mode on a graph: appends the nodes that compute the gradient of <cotangent, output> with respect to chosen
 * tensors. Only nodes on a path from those tensors to the outputs take part.
 */
import { AppError } from '../../../errors.ts'
import { whyRefused } from '../../refusal.ts'
import { Builder } from '../graph/builder.ts'
import type { Bending } from './bending.ts'
import { findComposites } from './composites.ts'
import {
  carriesFloats,
  DataType,
  describeNode,
  operatorKey,
  readsOf,
  typeIn,
  type Graph,
  type GraphNode,
} from '../graph/graph.ts'
import { describeObstacles, obstacleAt, type Obstacle, type Way } from './obstacles.ts'
import { findSpelled } from './spelled-functions.ts'
import { operatorOf } from '../operators/operator-of.ts'
import type { RuleEntry } from '../operators/rules/rule.ts'

export interface GradientRequest {
  /** Outputs that the scalar is made of; each gets a cotangent of its shape: a graph input where it is not computed. */
  readonly of: readonly string[]
  /** Output -> tensor that holds its cotangent, where nodes behind the model's compute it. */
  readonly computed?: ReadonlyMap<string, string>
  readonly wrt: readonly string[]
  readonly rules: Bending
  /** The name of a tensor's value in the reference pass; only rule sets that compare with one ask. */
  readonly reference?: (tensor: string) => string
  /** Tensors that are given, not computed: nothing before them matters. */
  readonly replaced: ReadonlySet<string>
}

export interface GradientGraph {
  /** Behind the model's nodes, in order. */
  readonly builder: Builder
  /** Output -> name of the graph input that takes its cotangent; computed ones are missing. */
  readonly cotangents: ReadonlyMap<string, string>
  /** Tensor -> name of its gradient. */
  readonly gradients: ReadonlyMap<string, string>
}

/** The graph input that takes an output's cotangent. */
export function cotangentName(output: string): string {
  return `limelight:cotangent/${output}`
}

/** A gradient can flow through this tensor: it holds floating-point numbers, or we do not know. */
export function carriesGradient(graph: Graph, name: string): boolean {
  return name !== '' && carriesFloats(typeIn(graph, name))
}

/** The outputs of a node through which gradients can flow. */
export function carriersOf(graph: Graph, node: GraphNode): string[] {
  const quantised = quantisedTensors(graph)
  return node.outputs.filter((name) => name !== '' && (quantised.has(name) || carriesGradient(graph, name)))
}

/** Integer types of quantised numbers, and of their sums. */
const QUANTISED: ReadonlySet<number> = new Set([
  DataType.uint8, DataType.int8, DataType.uint16, DataType.int16, DataType.int32, 21, 22,
]) // prettier-ignore

const found = new WeakMap<Graph, ReadonlySet<string>>()

/**
 * The integers that stand for real numbers: what quantised operators write, with a rule or without, and what is computed of
 * those by operators that have none of their own for integers.
 */
function quantisedTensors(graph: Graph): ReadonlySet<string> {
  const known = found.get(graph)
  if (known !== undefined) return known
  const quantised = new Set<string>()
  found.set(graph, quantised)
  for (const node of graph.nodes) {
    const { rule, stops } = operatorOf(node)
    const [first = ''] = node.outputs
    if (rule?.carriesIntegers) quantised.add(first)
    else if (!rule && !stops && QUANTISED.has(typeIn(graph, first)) && narrow(graph, node)) quantised.add(first)
    else if (node.inputs.some((name) => quantised.has(name)))
      for (const name of node.outputs) if (QUANTISED.has(typeIn(graph, name))) quantised.add(name)
  }
  return quantised
}

/** An operator without a rule whose integers are no counts or places: those are 32 or 64 bits wide. */
function narrow(graph: Graph, node: GraphNode): boolean {
  return typeIn(graph, node.outputs[0] ?? '') !== DataType.int32
}

/** No gradient passes it, rightly: its derivative is zero, or the rule set holds what it makes. */
export function stops(node: GraphNode, rules: Bending): boolean {
  return operatorOf(node).stops === true || rules.holds(node)
}

/** Tensors whose value depends smoothly on one of `wrt`. */
function dependents(graph: Graph, { wrt, replaced, rules }: GradientRequest): Set<string> {
  const reached = new Set(wrt)
  for (const node of graph.nodes) {
    if (stops(node, rules) || !readsOf(node).some((name) => reached.has(name))) continue
    for (const name of carriersOf(graph, node)) if (!replaced.has(name)) reached.add(name)
  }
  return reached
}

interface Path {
  /** The nodes through which gradients flow, in order. */
  readonly path: readonly GraphNode[]
  /** Tensors that depend on what is asked for. */
  readonly reached: ReadonlySet<string>
  /** Tensors that the outputs depend on, as far as gradients flow. */
  readonly needed: ReadonlySet<string>
}

function pathOf(graph: Graph, request: GradientRequest): Path {
  const reached = dependents(graph, request)
  const needed = new Set(request.of)
  const path: GraphNode[] = []
  for (const node of graph.nodes.toReversed()) {
    const carries = node.outputs.some((name) => needed.has(name) && reached.has(name) && !request.replaced.has(name))
    if (!carries || stops(node, request.rules) || !readsOf(node).some((name) => reached.has(name))) continue
    path.push(node)
    for (const name of readsOf(node)) if (reached.has(name)) needed.add(name)
  }
  return { path: path.reverse(), reached, needed }
}

/** A rule that gives an input nothing must say that it counts as a constant: a silent zero would be a wrong gradient. */
function expectConstant(node: GraphNode, entry: RuleEntry, place: number): void {
  if (entry.constants?.includes(place)) return
  throw new AppError({
    code: 'NOT_DIFFERENTIABLE',
    message: `${describeNode(node)}: its input ${place + 1} depends on what the gradient is asked for, and its rule takes that for a constant. Choose a layer behind it, or a method without gradients.`,
    details: { operators: [operatorKey(node)] },
  })
}

/** Everything on the way that no gradient passes. */
function obstaclesOn(
  { needed, reached }: Path,
  nodes: readonly GraphNode[],
  build: Builder,
  replaced: ReadonlySet<string>,
  way: Way,
): Obstacle[] {
  const arrives = (name: string): boolean => needed.has(name) && reached.has(name) && !replaced.has(name)
  return nodes.flatMap((node) => obstacleAt(node, build, arrives, way) ?? [])
}

/** @throws Error: a question without a reference has no rule set that asks for one. */
function noReference(tensor: string): never {
  throw new Error(`the reference value of "${tensor}" is asked for, and the question has no reference`)
}

/** What a request's gradient goes through, and what is in the way. */
function walkBack(graph: Graph, request: GradientRequest) {
  const { rules, replaced } = request
  const found = pathOf(graph, request)
  const { reached } = found
  const way: Way = {
    rules,
    backwards: { depends: (name) => reached.has(name), reference: request.reference ?? noReference },
  }
  const kept = new Set([...request.of, ...request.wrt, ...replaced])
  const scratch = new Builder(graph, 'limelight:')
  const spelled = findSpelled(graph, scratch, kept, rules)
  const taken = new Set([...spelled.values()].flatMap((one) => one.inner))
  const path = found.path.filter((node) => !taken.has(node)).map((node) => spelled.get(node)?.stands ?? node)
  return { path, reached, way, kept, obstacles: obstaclesOn(found, path, scratch, replaced, way) }
}

/**
 * Builds the gradient graph.
 * @throws AppError NOT_DIFFERENTIABLE naming every operator on the way that has no rule, or none for its variant.
 */
export function differentiate(graph: Graph, request: GradientRequest): GradientGraph {
  const { rules, replaced } = request
  const { path, reached, way, kept, obstacles } = walkBack(graph, request)
  const missing = describeObstacles(obstacles)
  if (missing.length > 0)
    throw new AppError({
      code: 'NOT_DIFFERENTIABLE',
      message: whyRefused(missing, request.wrt),
      details: { operators: missing },
    })
  const seeds = request.of.map((of) => ({ of, name: request.computed?.get(of) ?? cotangentName(of) }))
  const inputs = seeds.filter(({ of }) => request.computed?.has(of) !== true)
  const cotangents = new Map(inputs.map(({ of, name }) => [of, name]))
  const [seed] = seeds
  const builder = new Builder(graph, 'limelight:gradient/', seed)
  const parts = new Map<string, string[]>()
  const give = (name: string, gradient: string): void => {
    const known = parts.get(name)
    if (known) known.push(gradient)
    else parts.set(name, [gradient])
  }
  const total = (name: string): string | null => {
    const given = parts.get(name)
    if (given === undefined) return null
    const sum = given.reduce((left, right) => builder.add(left, right))
    parts.set(name, [sum])
    return sum
  }
  for (const { of, name } of seeds) give(of, name)
  const composites = findComposites(graph, builder, kept, rules)
  const inside = new Set([...composites.values()].flatMap((one) => one.inner))
  for (const node of path.toReversed()) {
    if (inside.has(node)) continue
    const composite = composites.get(node)
    if (composite !== undefined) {
      const g = total(node.outputs[0] ?? '')
      if (g === null) continue
      for (const [name, gradient] of composite.gradients(builder, g, (name) => reached.has(name))) give(name, gradient)
      continue
    }
    const incoming = node.outputs.map((name) => (reached.has(name) && !replaced.has(name) ? total(name) : null))
    if (incoming.every((one) => one === null)) continue
    const entry = rules.ruleOf(node, way.backwards)
    if (entry === undefined) throw new Error(`no rule for ${describeNode(node)}`)
    const wanted = node.inputs.map((name) => reached.has(name))
    const gradients = entry.rule(node, incoming, builder, wanted)
    for (const [index, name] of node.inputs.entries()) {
      if (!wanted[index]) continue
      const gradient = gradients[index]
      if (!gradient) {
        // Where only a later output's cotangent arrives, an input that it does not depend on gets none.
        if (incoming[0] && carriesGradient(graph, name)) expectConstant(node, entry, index)
        continue
      }
      const from = entry.broadcast === 'elementwise' ? builder.shape(node.outputs[0] ?? '') : null
      give(name, entry.broadcast === 'elementwise' ? builder.sumTo(gradient, from, name) : gradient)
    }
  }
  const gradients = new Map<string, string>()
  for (const name of request.wrt) gradients.set(name, total(name) ?? builder.zerosLike(name))
  return { builder, cotangents, gradients }
}
