/** One row an operator: that nothing beside the rows lists operators, and that rows and rules agree. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { DECOMPOSITIONS } from '../../../../../lib/engine/onnx/prepare/decompose.ts'
import { QUANTISED_OPERATORS } from '../../../../../lib/engine/onnx/prepare/quantised-operators.ts'
import { REWRITES } from '../../../../../lib/engine/onnx/prepare/upgrade.ts'
import * as activation from '../../../../../lib/engine/onnx/operators/rules/activation.ts'
import * as normalization from '../../../../../lib/engine/onnx/operators/rules/normalization.ts'
import * as pooling from '../../../../../lib/engine/onnx/operators/rules/pooling.ts'
import { OPERATORS } from '../../../../../lib/engine/onnx/operators/table.ts'

const ENGINE = fileURLToPath(new URL('../../../../../lib/engine/onnx/', import.meta.url))

/** Where an operator's name says what is known of that operator. */
const ROWS = [
  /^operators\//,
  /^gradient\/rule-sets\//,
  /^prepare\/(decompose|decompose-attention|dynamic-operators|functions|functions-attention|quantised-operators|upgrade)\.ts$/,
]

interface Pattern {
  /** Distinct operators that the file names, exactly. */
  readonly names: number
  readonly why: string
}

/**
 * Files that look for one pattern of certain operators, by name, and do with it what no other operator could be in for. Any
 * other file names none, and none has a list of them. A pattern that gains or loses an operator is looked at here.
 */
const PATTERNS: Readonly<Record<string, Pattern>> = {
  'file/read-model.ts': { names: 1, why: 'a loop is refused' },
  'file/inline.ts': { names: 1, why: 'what a function hands through is an Identity' },
  'gradient/composites.ts': { names: 7, why: 'functions that exporters spell in several nodes' },
  'gradient/spelled-activations.ts': { names: 14, why: 'activations that exporters spell in several nodes' },
  'gradient/spelled-functions.ts': { names: 9, why: 'normalisations that exporters spell in several nodes' },
  'gradient/spelling.ts': { names: 2, why: 'a square is a product or a power' },
  'model/defaults.ts': { names: 1, why: 'a map that is another one, rounded' },
  'model/load.ts': { names: 1, why: 'the note on what saturates' },
  'model/rows.ts': { names: 1, why: 'a scale that is computed mixes rows, a constant one does not' },
  'prepare/widen.ts': { names: 1, why: 'casts between floats fall away' },
  'question/formula.ts': { names: 22, why: 'the operators that formulas are written in' },
  'question/select-early.ts': {
    names: 2,
    why: 'a Gather moves in front of other operators, and a Reshape then needs another shape',
  },
}

const NAMES = new Set(
  [...Object.keys(OPERATORS), ...Object.keys(DECOMPOSITIONS), ...Object.keys(QUANTISED_OPERATORS)].map((key) =>
    key.replace(/^.*:/, ''),
  ),
)

/** Names in what is no sentence: one alone, with its domain or without, or two and more in a row. */
function namesInText(text: string): readonly string[] {
  const words = text.split(/[\s,|]+/).map((word) => word.replace(/^.*:/, ''))
  const names = words.filter((word) => NAMES.has(word))
  return words.length === 1 || names.length > 1 ? names : []
}

/** `build.op('Mul', ...)` writes a node: no list. */
const WRITERS = new Set(['op', 'ops', 'newTensors'])

function writes(call: ts.CallExpression): boolean {
  const { expression: callee } = call
  return WRITERS.has(ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText())
}

/** What a node of the tree itself names, without what is below it. */
function namedBy(node: ts.Node): readonly string[] {
  if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
    return namesInText(node.text)
  if (ts.isRegularExpressionLiteral(node)) return node.text.split(/\W+/).filter((word) => NAMES.has(word))
  if (ts.isPropertyAccessExpression(node)) return NAMES.has(node.name.text) ? [node.name.text] : []
  const key = ts.isObjectLiteralElement(node) || ts.isTypeElement(node) || ts.isEnumMember(node) ? node.name : undefined
  return key !== undefined && ts.isIdentifier(key) && NAMES.has(key.text) ? [key.text] : []
}

interface Found {
  /** Distinct names of operators, in order, but for those of nodes that are written. */
  readonly names: readonly string[]
  /** Literals, arrays, objects and cases that hold several. */
  readonly lists: readonly string[]
}

/** What a file says of operators. Comments say what they like. */
function namesIn(source: string): Found {
  const file = ts.createSourceFile('file.ts', source, ts.ScriptTarget.Latest, true)
  const names = new Set<string>()
  const lists: string[] = []
  const nameOf = (node: ts.Node): readonly string[] => {
    if (ts.isPropertyAssignment(node)) return [...namedBy(node), ...namedBy(node.name)]
    if (ts.isArrayLiteralExpression(node)) return node.elements.slice(0, 1).flatMap(nameOf)
    return namedBy(node)
  }
  const visit = (node: ts.Node): void => {
    const own = namedBy(node)
    own.forEach((name) => names.add(name))
    const several = ts.isArrayLiteralExpression(node)
      ? node.elements.flatMap(nameOf)
      : ts.isObjectLiteralExpression(node)
        ? node.properties.flatMap(nameOf)
        : ts.isCaseBlock(node)
          ? fallingThrough(node).flatMap((clause) => nameOf(clause.expression))
          : own
    if (new Set(several).size > 1) lists.push(node.getText())
    if (ts.isCallExpression(node) && writes(node)) {
      const [written, ...rest] = node.arguments
      ;[node.expression, ...rest].forEach(visit)
      if (written && ts.isConditionalExpression(written)) visit(written.condition)
      else if (written && !ts.isStringLiteralLike(written)) visit(written)
    } else ts.forEachChild(node, visit)
  }
  visit(file)
  return { names: [...names].sort(), lists }
}

/** Cases without a body, and the one behind them. */
function fallingThrough({ clauses }: ts.CaseBlock): readonly ts.CaseClause[] {
  const shared = clauses.filter(
    (clause, at) => clause.statements.length === 0 || clauses[at - 1]?.statements.length === 0,
  )
  return shared.filter(ts.isCaseClause)
}

const sources = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith(join('file', 'proto')))
  .map((file) => file.replaceAll('\\', '/'))
const elsewhere = sources.filter((file) => !ROWS.some((rows) => rows.test(file)))
const read = (file: string): Found => namesIn(readFileSync(join(ENGINE, file), 'utf8'))

describe('no list of operators beside the rows', () => {
  test.each(elsewhere)('%s', (file) => {
    const { names, lists } = read(file)
    expect(lists).toEqual([])
    expect(names.length, names.join(', ')).toBe(PATTERNS[file]?.names ?? 0)
  })
  test('every file that may look for names is there, and does', () => {
    const idle = Object.entries(PATTERNS).filter(([file, { names }]) => !elsewhere.includes(file) || names === 0)
    expect(idle).toEqual([])
  })
  test.each([
    ['a table on one line', `const KINDS = { Relu: 1, Conv: 2, Gemm: 3 }`, 1],
    ['a table on several lines', `const KINDS = {\n  Relu: 1,\n  'Conv': 2,\n\n  Gemm() {},\n}`, 1],
    ['a regular expression', `/^(Relu|Conv|Gemm)$/.test(x)`, 1],
    ['a map', `new Map([['Relu', 1], ['Conv', 2], ['Gemm', 3]])`, 1],
    ['a set', `new Set(['Relu', 'Conv', 'Gemm'])`, 1],
    ['one text', `'Relu Conv,Gemm'.split(' ')`, 1],
    ['a template', `const kinds = \`Relu|Conv|Gemm\``, 1],
    ['cases', `switch (x) { case 'Relu': case 'Conv': case 'Gemm': return 1 }`, 1],
    ['names with a domain', `x === 'com.microsoft:Relu' || x === 'Conv' || x === "ai.onnx:Gemm"`, 0],
    ['a chain', `x.operator === 'Relu' || x.operator === 'Conv' ||\n x.operator === 'Gemm'`, 0],
    ['fields', `rows.Relu ?? rows['Conv'] ?? rows.Gemm`, 0],
    ['a type', `type Kind = 'Relu' | 'Conv' | 'Gemm'`, 0],
    ['fields of a type', `interface Kinds { Relu: 1; Conv: 2; Gemm: 3 }`, 0],
    ['members', `enum Kind { Relu, Conv, Gemm }`, 0],
  ])('the scan sees %s', (_what, source, lists) => {
    const found = namesIn(source)
    expect(found.names).toEqual(['Conv', 'Gemm', 'Relu'])
    expect(found.lists).toHaveLength(lists)
  })
  test('what is written, said in a sentence or in a comment is no list', () => {
    const source = `build.op(x ? 'Mul' : 'Div', [a]) // 'Relu'\n/* 'Relu' */ write.ops('Split', [x])\nthrow 'a Loop is refused'`
    expect(namesIn(source)).toEqual({ names: [], lists: [] })
    expect(namesIn(`build.op('Mul', [table['Relu']])`).names).toEqual(['Relu'])
  })
})

describe('rows and rules agree', () => {
  const rowsOf = (rules: Readonly<Record<string, unknown>>): [string, (typeof OPERATORS)[string]][] => {
    const values = new Set(Object.values(rules))
    return Object.entries(OPERATORS).filter(([, { rule }]) => rule !== undefined && values.has(rule))
  }
  test('what has the rule of an activation is one, and keeps maps', () => {
    const rows = rowsOf(activation)
    expect(rows.length).toBeGreaterThan(15)
    const other = rows.filter(
      ([, { kind, keepsMap, elementwise }]) => kind !== 'activation' || !keepsMap || !elementwise,
    )
    expect(other.map(([key]) => key)).toEqual([])
  })
  test.each([
    ['norm', normalization],
    ['pool', pooling],
  ])('what has the rule of a %s is one', (kind, rules) => {
    expect(
      rowsOf(rules)
        .filter(([, row]) => row.kind !== kind)
        .map(([key]) => key),
    ).toEqual([])
  })
  test('a rule whose gradients are summed over what was broadcast is of an elementwise operator', () => {
    const summed = Object.entries(OPERATORS).filter(([, { rule }]) => rule?.broadcast !== undefined)
    expect(summed.filter(([, { elementwise }]) => !elementwise).map(([key]) => key)).toEqual([])
  })
  test('no operator has a rule and stops gradients, or two ways to say where positions go', () => {
    const rows = Object.entries(OPERATORS)
    expect(rows.filter(([, { rule, stops }]) => rule && stops).map(([key]) => key)).toEqual([])
    expect(rows.filter(([, { elementwise, inputAxes }]) => elementwise && inputAxes).map(([key]) => key)).toEqual([])
  })
  test('every operator that has older forms is rewritten, and no other', () => {
    const since = Object.entries(OPERATORS).filter((entry) => entry[1].since !== undefined)
    expect(since.map(([key]) => key).sort()).toEqual(Object.keys(REWRITES).sort())
  })
})
