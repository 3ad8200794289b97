/** What is linear: rules that decompose an output over its inputs leave it as it is. */
import { firstOf, type RuleEntry } from '../../operators/rules/rule.ts'
import { OPERATORS } from '../../operators/table.ts'

export function isLinear(operator: string): boolean {
  return OPERATORS[operator]?.linear === true
}

/** The same rule where at most one operand varies: a product of two is linear in neither. */
export function inOneOperand(entry: RuleEntry, varies: (tensor: string) => boolean): RuleEntry {
  return {
    ...entry,
    refuses: firstOf(...(entry.refuses ? [entry.refuses] : []), (node) =>
      node.inputs.filter(varies).length > 1 ? 'several of its operands vary with the input' : null,
    ),
  }
}
