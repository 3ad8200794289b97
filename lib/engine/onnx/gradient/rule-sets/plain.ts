/** The gradient itself: every operator keeps the rule of the table. */
import { PLAIN } from '../../../rectifier-rules.ts'
import { ruleSet } from './rule-set.ts'

export const plain = ruleSet({ ...PLAIN, rules: {} })
