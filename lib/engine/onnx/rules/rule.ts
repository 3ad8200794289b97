/** What a gradient rule is. */
import type { Builder } from '../builder.ts'
import type { GraphNode } from '../graph.ts'

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

export interface RuleEntry {
  readonly rule: Rule
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
