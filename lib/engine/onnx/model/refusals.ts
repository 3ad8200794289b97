/**
 * What a rule set refuses on the way from the logits to each tap, known before anything is asked: one walk over the graph for all
 * taps at once. Whether an operator is refused depends on which of its operands vary with the tap (a product of two does not
 * pass LRP, one with a mask does), so taps are told apart by that at each node.
 */
import type { RuleSet, RuleSetInfo } from '../../model.ts'
import type { Refusal } from '../../refusal.ts'
import type { TapId } from '../../tap-id.ts'
import { float32 } from '../../../tensor/tensor.ts'
import { Bending } from '../gradient/bending.ts'
import { carriersOf, stops } from '../gradient/differentiate.ts'
import { describeObstacles, obstacleAt, type Obstacle } from '../gradient/obstacles.ts'
import type { RuleSetDefinition } from '../gradient/rule-sets/rule-set.ts'
import { findSpelled } from '../gradient/spelled-functions.ts'
import { Builder } from '../graph/builder.ts'
import { readsOf, type Graph, type GraphNode } from '../graph/graph.ts'
import { inferAdded } from '../prepare/infer-shapes.ts'
import { writeOut } from '../prepare/write-out.ts'
import { bentAsWhole } from './rule-graphs.ts'

/** Of taps, by their place in a list: one bit each. */
type TapSet = bigint

interface Visit {
  /** As the rule set has it: a function that is spelled out is one operator. */
  readonly node: GraphNode
  /** The taps for which it is visited. */
  readonly taps: TapSet
}

/** @param taps ids of the model's taps, in graph order */
export async function refusalsOf(
  graph: Graph,
  logits: TapId,
  taps: readonly TapId[],
  id: RuleSetInfo['id'],
  sets: readonly RuleSetDefinition[],
): Promise<readonly Refusal[]> {
  const rules = new Bending({ id, ...referenceFor(graph, id, sets) }, sets)
  // Shapes are a help here; where the runtime refuses what was written out, asking says so.
  const infer: typeof inferAdded = (whole, added) => inferAdded(whole, added).catch(() => whole)
  const written = await writeOut(graph, (node) => rules.bends(node), new Map(), infer)
  const tensors = taps.map((tap) => tensorBehind(graph, tap))
  const found = new Walk(written, logits, tensors, rules).obstacles()
  const whole = new Map(bentAsWhole(graph, taps, (node) => rules.bends(node)))
  const groups = new Map<string, { taps: TapId[]; obstacles: readonly Obstacle[] }>()
  const places = new Map<Obstacle, number>()
  for (const [at, tap] of taps.entries()) {
    const inside = whole.get(tap)
    const obstacles = inside === undefined ? (found[at] ?? []) : [inside]
    if (obstacles.length === 0) continue
    const key = obstacles.map((one) => places.get(one) ?? places.set(one, places.size).size).join()
    const group = groups.get(key) ?? { taps: [], obstacles }
    groups.set(key, group)
    group.taps.push(tap)
  }
  return [...groups.values()].map((one) => ({
    rules: id,
    taps: one.taps,
    operators: describeObstacles(one.obstacles),
  }))
}

/** Any, for a set that needs one: what differs from it is taken to be what depends on the tap. */
function referenceFor({ inputs }: Graph, id: string, sets: readonly RuleSetDefinition[]): Pick<RuleSet, 'reference'> {
  const needs = sets.find((one) => one.id === id)?.needsReference
  return needs ? { reference: { feeds: { [inputs[0]?.name ?? '']: float32(new Float32Array(1), [1]) } } } : {}
}

/** The tensor of the graph whose way to the output is a tap's: that which it shows, or inside whose node it is. */
function tensorBehind(graph: Graph, tap: TapId): string {
  return graph.maps?.get(tap)?.of ?? graph.attention?.get(tap)?.inside?.tensor ?? tap
}

class Walk {
  readonly #graph: Graph
  readonly #rules: Bending
  readonly #build: Builder
  /** Of each tap. */
  readonly #tensors: readonly string[]
  /** Tensor -> the taps that it depends on smoothly. */
  readonly #depends: ReadonlyMap<string, TapSet>
  /** Tensors that the logits depend on smoothly. */
  readonly #needed: ReadonlySet<string>
  readonly #logits: string

  constructor(graph: Graph, logits: string, tensors: readonly string[], rules: Bending) {
    this.#graph = graph
    this.#rules = rules
    this.#logits = logits
    this.#build = new Builder(graph, 'limelight:')
    this.#tensors = tensors
    this.#depends = dependence(graph, tensors, rules)
    this.#needed = neededFor(graph, logits, rules)
  }

  /** By tap: what is in the way, in graph order. */
  obstacles(): readonly (readonly Obstacle[])[] {
    const found: Obstacle[][] = this.#tensors.map(() => [])
    for (const { node, taps } of this.#visits())
      for (const part of this.#parts(node, taps)) {
        const obstacle = this.#obstacleFor(node, part)
        if (obstacle !== null) for (const tap of members(part)) found[tap]?.push(obstacle)
      }
    return found
  }

  /** The nodes on the way from any tap to the logits. A tap inside a function that is spelled out has it in its nodes. */
  *#visits(): Generator<Visit> {
    const spelled = findSpelled(this.#graph, this.#build, new Set([this.#logits]), this.#rules)
    const inside = new Map<GraphNode, TapSet>()
    for (const { inner, last } of spelled.values()) {
      const own = inner.flatMap((node) => node.outputs).reduce((taps, name) => taps | this.#shownBy(name), 0n)
      for (const node of [...inner, last]) inside.set(node, own)
    }
    for (const node of this.#graph.nodes) {
      if (stops(node, this.#rules)) continue
      if (!carriersOf(this.#graph, node).some((name) => this.#needed.has(name))) continue
      const taps = this.#dependsOn(readsOf(node))
      const within = inside.get(node)
      yield { node, taps: within === undefined ? taps : taps & within }
      const stands = spelled.get(node)?.stands
      if (stands !== undefined && within !== undefined) yield { node: stands, taps: taps & ~within }
    }
  }

  /** The taps that a tensor is. */
  #shownBy(name: string): TapSet {
    return this.#tensors.reduce((taps, one, at) => (one === name ? taps | (1n << BigInt(at)) : taps), 0n)
  }

  #dependsOn(names: readonly string[]): TapSet {
    return names.reduce((taps, name) => taps | (this.#depends.get(name) ?? 0n), 0n)
  }

  /** Taps for which the same operands vary. */
  #parts(node: GraphNode, taps: TapSet): readonly TapSet[] {
    let parts = taps === 0n ? [] : [taps]
    for (const name of new Set(readsOf(node))) {
      const own = this.#depends.get(name) ?? 0n
      parts = parts.flatMap((part) => [part & own, part & ~own]).filter((part) => part !== 0n)
    }
    return parts
  }

  #obstacleFor(node: GraphNode, part: TapSet): Obstacle | null {
    const depends = (name: string): boolean => ((this.#depends.get(name) ?? 0n) & part) !== 0n
    const reference = (name: string): string => (depends(name) ? `${name} of the reference` : name)
    const arrives = (name: string): boolean => this.#needed.has(name) && depends(name)
    return obstacleAt(node, this.#build, arrives, { rules: this.#rules, backwards: { depends, reference } })
  }
}

function* members(taps: TapSet): Generator<number> {
  const bits = taps.toString(2)
  for (let at = 0; at < bits.length; at++) if (bits[bits.length - 1 - at] === '1') yield at
}

function dependence(graph: Graph, tensors: readonly string[], rules: Bending): ReadonlyMap<string, TapSet> {
  const depends = new Map<string, TapSet>()
  const add = (name: string, taps: TapSet): void => {
    depends.set(name, (depends.get(name) ?? 0n) | taps)
  }
  for (const [at, name] of tensors.entries()) add(name, 1n << BigInt(at))
  for (const node of graph.nodes) {
    if (stops(node, rules)) continue
    const taps = readsOf(node).reduce((all, name) => all | (depends.get(name) ?? 0n), 0n)
    if (taps !== 0n) for (const name of carriersOf(graph, node)) add(name, taps)
  }
  return depends
}

function neededFor(graph: Graph, logits: string, rules: Bending): ReadonlySet<string> {
  const needed = new Set([logits])
  for (const node of graph.nodes.toReversed())
    if (!stops(node, rules) && carriersOf(graph, node).some((name) => needed.has(name)))
      for (const name of readsOf(node)) needed.add(name)
  return needed
}
