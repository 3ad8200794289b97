/** Guided backpropagation (Springenberg 2014, 1412.6806, section 3.4): positive gradients, where the rectifier was open. */
import { GUIDED_RELU } from '../../../rectifier-rules.ts'
import { rectifiers } from './rectifiers.ts'
import { ruleSet } from './rule-set.ts'

export const guidedRelu = ruleSet({
  ...GUIDED_RELU,
  rules: rectifiers((build, g, open) => open(build.op('Relu', [g]))),
})
