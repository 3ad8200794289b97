/** What a rule set of this engine is. */
import type { z } from 'zod'
import type { RuleSetInfo } from '../../../model.ts'
import type { RuleEntry } from '../../operators/rules/rule.ts'

/** What is known where gradients pass a graph backwards. */
export interface Backwards {
  /** Whether a tensor depends on what the gradient is asked for: one that does not counts as a weight. */
  readonly depends: (tensor: string) => boolean
  /** The name of a tensor's value in the reference pass. One that does not depend on the reference has its own name. */
  readonly reference: (tensor: string) => string
}

/** What a bent rule is told beside its node. */
export interface Bent<P> extends Backwards {
  readonly params: P
}

/**
 * The rule of an operator under a rule set. It takes the plain one's place altogether: its refusals, constants and outputs too.
 * A set whose multipliers are no derivatives makes them so that their product with the input (or with its difference from the
 * reference) is the attribution.
 */
export type BentRule<P> = (bent: Bent<P>) => RuleEntry

export interface RuleSetDescription<Schema extends z.ZodObject> extends RuleSetInfo {
  readonly params: Schema
  /**
   * By operator, as in the table of plain rules. Everything else keeps its plain rule. Functions are operators too, whether
   * the file names them or spells them out (spelled-functions.ts); those without a row here are taken apart where a part of
   * them has one.
   */
  readonly rules: Readonly<Record<string, BentRule<z.output<Schema>>>>
  /** Why the set passes no operator of this name that it has no row for; null where the plain rule is right. */
  readonly refuses?: (operator: string) => string | null
  /** Operators whose results count as constants: no gradient passes them, and what is made of them alone does not vary. */
  readonly holds?: readonly string[]
}

// The schema is erased in the list: rules are only ever called with what the set's own schema parsed.
export interface RuleSetDefinition extends RuleSetInfo {
  readonly rules: Readonly<Record<string, BentRule<Readonly<Record<string, unknown>>>>>
  readonly refuses?: (operator: string) => string | null
  readonly holds?: readonly string[]
}

/** Types a rule set by its own parameters, then erases them for the list. */
export function ruleSet<Schema extends z.ZodObject>(set: RuleSetDescription<Schema>): RuleSetDefinition {
  return set as unknown as RuleSetDefinition
}

/** Says that a function is one nonlinearity and no chain of operators, and keeps its plain rule. */
export function whole<P>(entry: RuleEntry): BentRule<P> {
  return () => entry
}
