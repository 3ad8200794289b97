/** The rule sets of this engine. Adding one is one file and one line here. */
import { deconvnet } from './deconvnet.ts'
import { guidedRelu } from './guided-relu.ts'
import { plain } from './plain.ts'
import type { RuleSetDefinition } from './rule-set.ts'

export const RULE_SETS: readonly RuleSetDefinition[] = Object.freeze([plain, guidedRelu, deconvnet])
