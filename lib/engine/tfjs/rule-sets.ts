/** The rule sets of this engine: those that bend a rectifier. */
import { readRuleSet } from '../read-rule-set.ts'
import { DECONVNET, GUIDED_RELU, PLAIN } from '../rectifier-rules.ts'
import type { RuleSet } from '../model.ts'
import type { TapId } from '../tap-id.ts'

export const RULE_SETS = Object.freeze([PLAIN, GUIDED_RELU, DECONVNET])

export type RectifierRule = (typeof RULE_SETS)[number]['id']

export interface RectifierRules {
  /** The taps at which something else is chosen. */
  readonly taps: readonly TapId[]
  /** For the rectifier that makes one of these taps. */
  at(taps: readonly TapId[]): RectifierRule
}

/** @throws AppError BAD_PARAMETER for a rule set that this engine has not. */
export function rectifierRules(rules: RuleSet): RectifierRules {
  const { info, byTap } = readRuleSet(rules, RULE_SETS)
  return {
    taps: [...byTap.keys()],
    at: (taps) => taps.map((tap) => byTap.get(tap)?.info.id).find((id) => id !== undefined) ?? info.id,
  }
}
