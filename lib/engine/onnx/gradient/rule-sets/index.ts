/** The rule sets of this engine. Adding one is one file and one line here. */
import { attnLrp } from './attn-lrp.ts'
import { cpLrp } from './cp-lrp.ts'
import { deconvnet } from './deconvnet.ts'
import { guidedRelu } from './guided-relu.ts'
import { libra } from './libra.ts'
import { lrp } from './lrp.ts'
import { plain } from './plain.ts'
import { rescale } from './rescale.ts'
import type { RuleSetDefinition } from './rule-set.ts'

export const RULE_SETS: readonly RuleSetDefinition[] = Object.freeze([
  plain,
  guidedRelu,
  deconvnet,
  rescale,
  lrp,
  attnLrp,
  cpLrp,
  libra,
])
