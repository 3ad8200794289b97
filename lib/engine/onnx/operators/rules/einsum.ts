/** Einsum: the gradient at one operand is an einsum of the cotangent with the others. */
import type { Builder } from '../../graph/builder.ts'
import { textAttribute, type GraphNode } from '../../graph/graph.ts'
import { firstOf, input, output, type Refusal, type RuleEntry } from './rule.ts'

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
  refuses: (node, build) => firstOf(refusesWidening, refusesUnknownEllipsis)(node, build),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const { terms, result } = parse(node)
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
  const term = labelsOf(terms[index] ?? '')
  const own = [...new Set(term)]
  // A label that the operand repeats reads its diagonal: that is what the gradient is taken at first.
  const read = own.length < term.length ? build.op('Einsum', [name], { equation: arrow(term, own) }) : name
  const kept = own.filter((label) => available.has(label))
  const inputs = [g, ...node.inputs.filter((_, at) => at !== index)]
  // ONNX wants an ellipsis in the result wherever an operand has one: its axes are summed afterwards.
  const extra = available.has('...') && !own.includes('...')
  const equationText = `${[result, ...others].join(',')}->${extra ? '...' : ''}${kept.join('')}`
  let product = equationText === arrow(kept, kept) ? g : build.op('Einsum', inputs, { equation: equationText })
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
  if (lost.length > 0) product = build.expandLike(build.unsqueeze(product, lost), read, lost)
  else if (own.includes('...')) product = build.sumTo(product, null, read)
  return read === name ? product : ontoDiagonal(build, product, own, term, name)
}

/** Where one label stands for an extent of 1 and a larger one: ONNX leaves that open. */
const refusesWidening: Refusal = (node, build) => {
  const { terms } = parse(node)
  const found = new Map<string, number>()
  for (const [index, term] of terms.entries()) {
    const labels = labelsOf(term)
    if (labels.includes('...')) continue
    const shape = build.shape(input(node, index)) ?? []
    for (const [axis, label] of labels.entries()) {
      const [dim, known] = [shape[axis], found.get(label)]
      if (typeof dim !== 'number') continue
      if (known !== undefined && known !== dim)
        return `"${label}" stands for extents of ${known} and ${dim}: expand the smaller one before it`
      found.set(label, dim)
    }
  }
  return null
}

/** How many axes an ellipsis stands for is read from the output. */
const refusesUnknownEllipsis: Refusal = (node, build) =>
  [...parse(node).terms, parse(node).result].some((term) => term.includes('...')) && build.shape(output(node)) === null
    ? 'how many axes its ellipsis stands for is unknown: export the model with static ranks'
    : null

function arrow(from: readonly string[], to: readonly string[]): string {
  return `${from.join('')}->${to.join('')}`
}

/** Zeros but on the diagonal that `term` reads: each further axis of a label is multiplied by an identity matrix. */
function ontoDiagonal(
  build: Builder,
  diagonal: string,
  own: readonly string[],
  term: readonly string[],
  name: string,
): string {
  const free = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ').filter(
    (letter) => !term.includes(letter),
  )
  const pairs: string[] = []
  const identities: string[] = []
  const target = term.map((label, axis) => {
    if (term.indexOf(label) === axis) return label
    const letter = free.shift() ?? ''
    const before = term.indexOf('...')
    const extent = build.extentOf(name, before >= 0 && before < axis ? axis - term.length : axis)
    const square = build.op('Expand', [build.float(0), build.op('Concat', [extent, extent], { axis: 0 })])
    pairs.push(`${label}${letter}`)
    identities.push(build.op('EyeLike', [square]))
    return letter
  })
  const equation = `${[own.join(''), ...pairs].join(',')}->${target.join('')}`
  return build.op('Einsum', [diagonal, ...identities], { equation })
}
