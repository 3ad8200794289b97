/** Deconvnet (Zeiler and Fergus 2014, 1311.2901, section 2.1): positive gradients, whatever the activation was. */
import { DECONVNET } from '../../../rectifier-rules.ts'
import { rectifiers } from './rectifiers.ts'
import { ruleSet } from './rule-set.ts'

export const deconvnet = ruleSet({ ...DECONVNET, rules: rectifiers((build, g) => build.op('Relu', [g])) })
