/** A question's rule set, ready to say which rule each node has. */
import { readRuleSet, type ReadChoice } from '../../read-rule-set.ts'
import type { RuleSet } from '../../model.ts'
import type { TapId } from '../../tap-id.ts'
import { operatorKey, type GraphNode } from '../graph/graph.ts'
import type { RuleEntry } from '../operators/rules/rule.ts'
import { operatorOf } from '../operators/operator-of.ts'
import { plain } from './rule-sets/plain.ts'
import type { Backwards, RuleSetDefinition } from './rule-sets/rule-set.ts'

type Choice = ReadChoice<RuleSetDefinition>

export class Bending {
  /** The rule set's value, but for the reference's numbers: what decides the graph. */
  readonly key: string
  /** Inputs and taps that the reference pass has values of its own for. */
  readonly references: readonly TapId[]
  /** Whether any operator may have another rule than the plain one. */
  readonly bendsAny: boolean
  /** The taps at which something else is chosen. */
  readonly taps: readonly TapId[]
  readonly #around: Choice
  readonly #byTap: ReadonlyMap<TapId, Choice>

  /** @throws AppError BAD_PARAMETER as {@link readRuleSet}. */
  constructor(rules: RuleSet, sets: readonly RuleSetDefinition[]) {
    const { info, params, byTap, reference } = readRuleSet(rules, sets)
    this.#around = { info, params }
    this.#byTap = byTap
    this.bendsAny = [info, ...[...byTap.values()].map((one) => one.info)].some(
      (one) => Object.keys(one.rules).length > 0 || (one.holds ?? []).length > 0,
    )
    this.taps = [...byTap.keys()].sort()
    this.references = [...new Set([reference?.feeds, reference?.from].flatMap((one) => Object.keys(one ?? {})))].sort()
    const said = ({ info, params }: Choice): unknown => [info.id, sorted(params)]
    const parts = this.taps.map((tap) => [tap, said(this.#choiceAt(tap))])
    this.key = JSON.stringify([said(this.#around), parts, this.references])
  }

  #choiceAt(tap: TapId): Choice {
    return this.#byTap.get(tap) ?? this.#around
  }

  /** The choice for a node: that for the first of its outputs which has one of its own. */
  #choice(node: GraphNode): Choice {
    const named = [node.origin ?? '', ...node.outputs].find((name) => this.#byTap.has(name))
    return this.#choiceAt(named ?? '')
  }

  /** Whether the rule set at a node has a rule of its own for its operator, or holds what it makes. */
  bends(node: GraphNode): boolean {
    return this.#bentRule(node) !== undefined || this.holds(node)
  }

  /** Whether what a node makes counts as a constant. */
  holds(node: GraphNode): boolean {
    return this.#choice(node).info.holds?.includes(operatorKey(node)) === true
  }

  #bentRule(node: GraphNode): RuleSetDefinition['rules'][string] | undefined {
    const { rules } = this.#choice(node).info
    const key = operatorKey(node)
    const name = [key, operatorOf(node).sameAs ?? key].find((one) => Object.hasOwn(rules, one))
    return name === undefined ? undefined : rules[name]
  }

  /** Whether two nodes have one rule set with the same parameters. */
  agrees(node: GraphNode, other: GraphNode): boolean {
    return this.#choice(node) === this.#choice(other)
  }

  /** The rule of a node; undefined where there is none. */
  ruleOf(node: GraphNode, backwards: Backwards): RuleEntry | undefined {
    const bent = this.#bentRule(node)
    return bent ? bent({ ...backwards, params: this.#choice(node).params }) : operatorOf(node).rule
  }

  /** Why the rule set refuses an operator that it has no rule for; null where the plain rule stands. */
  refusal(node: GraphNode): string | null {
    const { info } = this.#choice(node)
    return this.bends(node) ? null : (info.refuses?.(operatorKey(node)) ?? null)
  }
}

function sorted(params: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))
}

export const PLAIN = new Bending({ id: plain.id }, [plain])
