/** The rules that a rule set puts in the place of plain ones. */
import type { RuleSet } from '../../model.ts'
import { operatorKey, type GraphNode } from '../graph/graph.ts'
import { operatorOf } from './operator-of.ts'
import * as activation from './rules/activation.ts'
import type { RuleEntry } from './rules/rule.ts'

/** What a rule set changes: everything else keeps its plain rule. */
const BENT: Readonly<Record<RuleSet, Readonly<Record<string, RuleEntry>>>> = Object.freeze({
  plain: {},
  'guided-relu': { Relu: activation.guidedRelu, Clip: activation.guidedClip },
  deconvnet: { Relu: activation.deconvnetRelu, Clip: activation.deconvnetClip },
})

/** The rule of a node under a rule set; undefined where there is none. */
export function ruleFor(node: GraphNode, rules: RuleSet): RuleEntry | undefined {
  return BENT[rules][operatorKey(node)] ?? operatorOf(node).rule
}
