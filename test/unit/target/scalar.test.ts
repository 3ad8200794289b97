/** Every scalar and its cotangent, against finite differences of its own value and against closed forms. */
import { describe, expect, test } from 'vitest'
import type { Link } from '../../../lib/engine/head.ts'
import { interpret } from '../../../lib/engine/interpret.ts'
import {
  classOf,
  explainsScore,
  scalarOf,
  settled,
  stateScalar,
  stateScalars,
  type Head,
  type StatedScalar,
} from '../../../lib/target/scalar.ts'
import { softmax } from '../../../lib/target/links.ts'
import { classTarget, target as schema, type Target } from '../../../lib/target/target.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const LOGITS = [0.3, -1.2, 2.1, 0.8]
const head = (link: Link = 'softmax'): Head => ({ logits: 'z', classes: LOGITS.length, link })

/** What the engine would differentiate by, for rows of logits. */
function cotangentAt(stated: StatedScalar, rows: readonly (readonly number[])[]): number[][] {
  const classes = rows[0]?.length ?? 0
  const z = float32(rows.flat(), [rows.length, classes])
  const of = stated.of['z']
  if (of === undefined) throw new Error('no cotangent')
  const found =
    'data' in of
      ? of
      : interpret(of, (leaf) => {
          if (leaf.kind === 'value') return z
          const given = leaf.kind === 'given' ? stated.perRow[leaf.name] : undefined
          if (given === undefined) throw new Error('a cotangent reads values and what it gives')
          return given
        })
  return rows.map((_, row) => Array.from(found.data.subarray(row * classes, (row + 1) * classes)))
}

function differences(target: Target, link: Link): number[] {
  const step = 1e-5
  const held = settled(target, LOGITS)
  return LOGITS.map((_, at) => {
    const moved = (by: number): number[] => LOGITS.map((one, index) => (index === at ? one + by : one))
    return (scalarOf(held, moved(step), link) - scalarOf(held, moved(-step), link)) / (2 * step)
  })
}

const TARGETS: readonly Target[] = [
  { kind: 'logit', index: 1 },
  { kind: 'logit', index: null },
  { kind: 'probability', index: 0 },
  { kind: 'probability', index: null },
  { kind: 'log-odds', index: 3 },
  { kind: 'log-odds', index: null },
  { kind: 'margin', index: 2, against: 0 },
  { kind: 'margin', index: null, against: 0 },
  { kind: 'margin', index: 1, against: null },
  { kind: 'margin', index: null, against: null },
  {
    kind: 'contrast',
    index: 2,
    others: [
      { index: 0, weight: 0.6 },
      { index: 3, weight: 0.2 },
    ],
  },
  { kind: 'contrast', index: null, others: [{ index: 0, weight: 0.6 }] },
  { kind: 'sum', indices: [0, 2] },
  { kind: 'regression', index: 3 },
  { kind: 'cosine', to: [1, 2, -1, 0.5] },
]

describe.each(['softmax', 'sigmoid'] as const)('behind a %s', (link) => {
  test.each(TARGETS.map((target) => [JSON.stringify(target), target] as const))('%s', (_, target) => {
    expect(schema.parse(JSON.parse(JSON.stringify(target)))).toEqual(target)
    const [found = []] = cotangentAt(stateScalar(target, head(link)), [LOGITS])
    differences(target, link).forEach((expected, at) => expect(found[at]).toBeCloseTo(expected, 5))
  })
})

test('every kind of the schema is among them', () => {
  const kinds = schema.options.map(({ shape }) => shape.kind.value)
  expect([...new Set(TARGETS.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort())
})

test('rows that are not alike are refused with what to do', () => {
  const mixed: Target[] = [classTarget(null), classTarget(1)]
  expect(() => stateScalars(mixed, head())).toThrow(
    /cannot differentiate logit of the predicted class and logit\. Name the class/,
  )
})

test('probability and log-odds are what their names say', () => {
  const p = softmax(LOGITS)[2] ?? NaN
  expect(scalarOf({ kind: 'probability', index: 2 }, LOGITS)).toBeCloseTo(p, 12)
  expect(scalarOf({ kind: 'log-odds', index: 2 }, LOGITS)).toBeCloseTo(Math.log(p / (1 - p)), 10)
  const q = 1 / (1 + Math.exp(-2.1))
  expect(scalarOf({ kind: 'probability', index: 2 }, LOGITS, 'sigmoid')).toBeCloseTo(q, 12)
  expect(scalarOf({ kind: 'log-odds', index: 2 }, LOGITS, 'sigmoid')).toBeCloseTo(Math.log(q / (1 - q)), 10)
})

test('log-odds stay exact where the probability is 1 to every digit', () => {
  const sure = [100, 0, 1]
  expect(scalarOf({ kind: 'log-odds', index: 0 }, sure)).toBeCloseTo(100 - Math.log(1 + Math.E), 10)
  const stated = stateScalar({ kind: 'log-odds', index: 0 }, { logits: 'z', classes: 3, link: 'softmax' })
  const [slope = []] = cotangentAt(stated, [sure])
  expect(slope[0]).toBe(1)
  expect(slope[1]).toBeCloseTo(-1 / (1 + Math.E), 6)
})

test('the predicted class is each row’s own, the first of several as large', () => {
  const rows = [
    [0, 3, 1, 2],
    [5, 5, 0, 1],
  ]
  expect(cotangentAt(stateScalar({ kind: 'logit', index: null }, head(), 2), rows)).toEqual([
    [0, 1, 0, 0],
    [1, 0, 0, 0],
  ])
  expect(rows.map((row) => classOf({ kind: 'logit', index: null }, row))).toEqual([1, 0])
  expect(settled({ kind: 'margin', index: null, against: null }, [1, 4, 2])).toEqual({
    kind: 'margin',
    index: 1,
    against: null,
  })
})

test('asked for or predicted, a class has the same bytes', () => {
  for (const kind of ['logit', 'margin'] as const) {
    const named: Target = kind === 'logit' ? { kind, index: 2 } : { kind, index: 2, against: null }
    const predicted: Target = kind === 'logit' ? { kind, index: null } : { kind, index: null, against: null }
    expect(cotangentAt(stateScalar(predicted, head()), [LOGITS])).toEqual(
      cotangentAt(stateScalar(named, head()), [LOGITS]),
    )
  }
})

test('several targets of one input, a row each', () => {
  const targets: Target[] = [0, 3].map((index) => ({ kind: 'probability', index }))
  const rows = cotangentAt(stateScalars(targets, head()), [LOGITS, LOGITS])
  targets.forEach((target, row) => {
    const [alone = []] = cotangentAt(stateScalar(target, head()), [LOGITS])
    expect(rows[row]).toEqual(alone)
  })
  expect(
    cotangentAt(
      stateScalars(
        [
          { kind: 'logit', index: 1 },
          { kind: 'sum', indices: [0, 1] },
        ],
        head(),
      ),
      [LOGITS, LOGITS],
    ),
  ).toEqual([
    [0, 1, 0, 0],
    [1, 1, 0, 0],
  ])
})

test.each([
  ['a class there is not', { kind: 'logit', index: 4 }, 'softmax', 'UNKNOWN_LABEL', /4 classes/],
  ['another of a margin', { kind: 'margin', index: 0, against: 9 }, 'softmax', 'UNKNOWN_LABEL', /no class 9/],
  ['a class of a sum', { kind: 'sum', indices: [0, 7] }, 'softmax', 'UNKNOWN_LABEL', /no class 7/],
  ['an embedding of another length', { kind: 'cosine', to: [1, 2] }, 'none', 'BAD_PARAMETER', /2 numbers.*answers 4/],
  ['a probability of scores that are none', { kind: 'probability', index: 0 }, 'none', 'BAD_PARAMETER', /logit/],
] as const)('%s is refused', (_, target, link, code, says) => {
  expect(() => stateScalar(target as unknown as Target, head(link))).toThrow(
    expect.objectContaining({ code, userMessage: expect.stringMatching(says) as string }),
  )
})

test('only scores go on changing where the probability is saturated', () => {
  expect(TARGETS.filter(explainsScore).map(({ kind }) => kind)).toEqual([
    'logit', 'logit', 'margin', 'margin', 'margin', 'margin',
  ]) // prettier-ignore
})
