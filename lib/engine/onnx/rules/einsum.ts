/** Einsum: the gradient at one operand is an einsum of the cotangent with the others. */
import { AppError } from '../../../errors.ts'
import type { Builder } from '../builder.ts'
import { describeNode, textAttribute, type GraphNode } from '../graph.ts'
import { output, type RuleEntry } from './rule.ts'

interface Equation {
  readonly terms: readonly string[]
  readonly result: string
}

/** Labels by operand; an ellipsis stays "...". */
function parse(node: GraphNode): Equation {
  const text = (textAttribute(node, 'equation') ?? '').replaceAll(' ', '')
  const [left = '', right] = text.split('->')
  const terms = left.split(',')
  if (right !== undefined) return { terms, result: right }
  const letters = left.replaceAll('...', '').replaceAll(',', '')
  const once = [...new Set(letters)].filter((one) => letters.indexOf(one) === letters.lastIndexOf(one)).sort()
  return { terms, result: (left.includes('...') ? '...' : '') + once.join('') }
}

function labelsOf(term: string): string[] {
  return term.match(/\.\.\.|[A-Za-z]/g) ?? []
}

export const einsum: RuleEntry = {
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const { terms, result } = parse(node)
    if (terms.some((term) => new Set(labelsOf(term)).size < labelsOf(term).length))
      throw new AppError({
        code: 'NOT_DIFFERENTIABLE',
        message: `${describeNode(node)}: a repeated label has no gradient rule.`,
      })
    return node.inputs.map((name, index) =>
      wanted[index] ? operandGradient(build, node, g, { terms, result }, index, name) : null,
    )
  },
}

function operandGradient(
  build: Builder,
  node: GraphNode,
  g: string,
  equation: Equation,
  index: number,
  name: string,
): string {
  const { terms, result } = equation
  const others = terms.filter((_, at) => at !== index)
  const available = new Set([result, ...others].flatMap(labelsOf))
  const own = labelsOf(terms[index] ?? '')
  const kept = own.filter((label) => available.has(label))
  const inputs = [g, ...node.inputs.filter((_, at) => at !== index)]
  // ONNX wants an ellipsis in the result wherever an operand has one: its axes are summed afterwards.
  const extra = available.has('...') && !own.includes('...')
  const equationText = `${[result, ...others].join(',')}->${extra ? '...' : ''}${kept.join('')}`
  let product = build.op('Einsum', inputs, { equation: equationText })
  if (extra) {
    const count = build.shapeFor(node, output(node)).length - labelsOf(result).filter((label) => label !== '...').length
    product = build.sum(
      product,
      Array.from({ length: count }, (_, axis) => axis),
      false,
    )
  }
  // Labels that only this operand has were summed away: the gradient is the same along them.
  const lost = own.flatMap((label, axis) => (available.has(label) ? [] : [axis]))
  if (lost.length > 0) return build.expandLike(build.unsqueeze(product, lost), name, lost)
  if (!own.includes('...')) return product
  return build.sumTo(product, null, name)
}
