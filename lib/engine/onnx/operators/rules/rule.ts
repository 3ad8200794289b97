/** What a gradient rule is. */
import type { Builder } from '../../graph/builder.ts'
import type { GraphNode } from '../../graph/graph.ts'

/**
 * Given a node and the cotangents of its outputs (null: zero), writes the nodes that make the cotangents of its inputs
 * and gives their names, in the inputs' order (null or missing: none). `wanted[i]` says whether input i needs one.
 */
export type Rule = (
  node: GraphNode,
  cotangents: readonly (string | null)[],
  build: Builder,
  wanted: readonly boolean[],
) => readonly (string | null)[]

/**
 * Why no gradient passes a variant of an operator, as a phrase behind its name; null where it passes. Asked of every node
 * when a model is loaded: it reads attributes, shapes and a few integers, no weights.
 */
export type Refusal = (node: GraphNode, build: Builder) => string | null

export interface RuleEntry {
  readonly rule: Rule
  /** What the rule has no gradient for; it is never called for these. */
  readonly refuses?: Refusal
  /** How many outputs, from the first on, have a cotangent that the rule takes: 1 where left out. */
  readonly outputs?: number
  /** Places of float inputs that count as constants: they get no gradient, whatever they depend on. */
  readonly constants?: readonly number[]
  /** 'elementwise': gradients come in the output's shape and are summed down to each input's in one central place. */
  readonly broadcast?: 'elementwise'
  /** Its integer outputs stand for real numbers: gradients pass them (quantised operators). */
  readonly carriesIntegers?: boolean
}

export function input(node: GraphNode, index: number): string {
  return node.inputs[index] ?? ''
}
export function output(node: GraphNode, index = 0): string {
  return node.outputs[index] ?? ''
}

/** The same rule for fewer variants. */
export function refusing(entry: RuleEntry, ...refusals: readonly Refusal[]): RuleEntry {
  return { ...entry, refuses: firstOf(...refusals) }
}
export function firstOf(...refusals: readonly Refusal[]): Refusal {
  return (node, build) => {
    for (const refusal of refusals) {
      const reason = refusal(node, build)
      if (reason !== null) return reason
    }
    return null
  }
}
/** Refuses where the rank of one of these inputs is unknown. */
export function ranksOf(...places: readonly number[]): Refusal {
  return (node, build) => {
    const unknown = places.map((place) => input(node, place)).find((name) => name !== '' && build.shape(name) === null)
    return unknown === undefined ? null : `the rank of "${unknown}" is unknown: export the model with static ranks`
  }
}
/** Refuses where an input that must be known when the gradient is written is computed in the graph. */
export function constantAt(place: number, what: string): Refusal {
  return (node, build) =>
    input(node, place) === '' || build.value(input(node, place)) !== undefined
      ? null
      : `its ${what} are computed in the graph: export it with constant ${what}`
}

/** A rule for y = f(x): the derivative times the cotangent. x, y and g are tensor names. */
export function unary(
  gradient: (build: Builder, x: string, y: string, g: string, node: GraphNode) => string,
): RuleEntry {
  return {
    rule: (node, [g], build) => [g ? gradient(build, input(node, 0), output(node), g, node) : null],
  }
}

/** A rule for y = f(a, b, ...) with broadcasting: one gradient in the output's shape for each input. */
export function elementwise(
  ...gradients: readonly ((
    build: Builder,
    inputs: readonly string[],
    y: string,
    g: string,
    node: GraphNode,
  ) => string)[]
): RuleEntry {
  return {
    broadcast: 'elementwise',
    rule: (node, [g], build, wanted) =>
      gradients.map((gradient, index) =>
        g && wanted[index] ? gradient(build, node.inputs, output(node), g, node) : null,
      ),
  }
}
