/** One row an operator: that nothing beside the rows lists operators, and that rows and rules agree. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
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
  /^prepare\/(decompose|decompose-attention|functions|functions-attention|quantised-operators|upgrade)\.ts$/,
]

/**
 * Files that look for one pattern of certain operators, by name, and do with it what no other operator could be in for. They
 * may compare with a name; a list of names they may not hold either.
 */
const PATTERNS: Readonly<Record<string, string>> = {
  'file/read-model.ts': 'constants are nodes in a file, and a loop is refused',
  'file/inline.ts': 'what a function hands through is an Identity',
  'gradient/composites.ts': 'functions that exporters spell in several nodes',
  'model/embeddings.ts': 'how rows are read from a word table',
  'model/linear-head.ts': 'mean, matrix, bias',
  'model/load.ts': 'the note on what saturates',
  'model/defaults.ts': 'a map that is another one, rounded',
  'prepare/widen.ts': 'casts between floats fall away',
  'question/formula.ts': 'the operators that formulas are written in',
  'question/select-early.ts': 'a Gather moves in front of other operators, and a Reshape then needs another shape',
}
/** The same, by what the file is called. */
const PATTERN_FILES = /^gradient\/spell/

const NAMES = new Set(
  [...Object.keys(OPERATORS), ...Object.keys(DECOMPOSITIONS), ...Object.keys(QUANTISED_OPERATORS)].map((key) =>
    key.replace(/^.*:/, ''),
  ),
)
const isName = (text: string): boolean => NAMES.has(text)

interface Found {
  /** Literals that are an operator's name, but for those of nodes that are written. */
  readonly names: readonly string[]
  /** Literals that hold several names. */
  readonly lists: readonly string[]
}

/** What a file says of operators. `op('Mul', ...)` writes one: no list. Comments are left out. */
function namesIn(source: string): Found {
  const code = source
    .replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
    .replaceAll(/\b(ops?|newTensors)\(\s*(\w+ \? )?'\w+'( : '\w+')?/g, '')
  const literals = [...code.matchAll(/'([^'\n]*)'|"([^"\n]*)"|`([^`]*)`|^ +(\w+):/gm)].map((match) => match.slice(1))
  const names = literals.flatMap((parts) => parts.flatMap((part) => (part && isName(part) ? [part] : [])))
  const lists = literals.flatMap((parts) =>
    parts.flatMap((part) => (part && part.split(/[\s,]+/).filter(isName).length > 1 ? [part] : [])),
  )
  const sets = [...code.matchAll(/\[([^[\]]*)\]|(?:case '\w+':\s*){2,}/g)].flatMap(([whole]) => {
    const quoted = [...whole.matchAll(/'(\w+)'/g)].filter(([, name = '']) => isName(name))
    return quoted.length > 1 ? [whole] : []
  })
  return { names, lists: [...lists, ...sets] }
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
    if (PATTERNS[file] === undefined && !PATTERN_FILES.test(file)) expect(names).toEqual([])
  })
  test('every file that may look for names does', () => {
    const idle = Object.keys(PATTERNS).filter((file) => !sources.includes(file) || read(file).names.length === 0)
    expect(idle).toEqual([])
  })
  test('the scan sees what it is for', () => {
    expect(namesIn(`const KINDS = { Relu: 1 }\n  Conv: 'conv',\nnew Set('Add Sub'.split(' '))`)).toEqual({
      names: ['Conv'],
      lists: ['Add Sub'],
    })
    expect(namesIn(`['Flatten', 'Reshape'].includes(x)\nnode.operator === 'Softmax'`).lists).toHaveLength(1)
    expect(namesIn(`case 'Conv':\n case 'Gemm': return`).lists).toHaveLength(1)
    expect(namesIn(`build.op('Mul', [a]) // 'Relu'\n/* 'Relu' */ write.ops('Split', [x])`)).toEqual({
      names: [],
      lists: [],
    })
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
