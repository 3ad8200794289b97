import { describe, expect, test } from 'vitest'
import { AppError } from '../../../lib/errors.ts'
import { resolveClass, resolveTarget, targetInWords } from '../../../lib/target/request.ts'
import { asStored, storedTarget, target } from '../../../lib/target/target.ts'

const LABELS = ['cat', 'dog', 'horse']

describe('resolveClass', () => {
  test.each([
    [null, null],
    [{}, null],
    [{ index: 2 }, 2],
    [{ label: 'dog' }, 1],
    [{ label: ' Dog ' }, 1],
    [{ label: 'dog', index: 1 }, 1],
  ])('%j is class %j', (target, index) => {
    expect(resolveClass(target, LABELS)).toBe(index)
  })

  test('two classes that differ in case alone are told apart where the case is given', () => {
    const labels = ['Cardigan', 'cardigan']
    expect(resolveClass({ label: 'cardigan' }, labels)).toBe(1)
    expect(resolveClass({ label: 'Cardigan' }, labels)).toBe(0)
    expect(resolveClass({ label: 'CARDIGAN' }, labels)).toBe(0)
  })

  test.each([
    [{ label: 'bird' }, /no class "bird".*cat, dog, horse/],
    [{ index: 3 }, /no class with index 3; it must be 0 to 2/],
    [{ index: -1 }, /index -1/],
    [{ index: 0.5 }, /index 0.5/],
    [{ label: 'dog', index: 0 }, /names two classes/],
  ])('%j is refused', (target, message) => {
    let thrown: unknown
    try {
      resolveClass(target, LABELS)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(AppError)
    expect((thrown as AppError).code).toBe('UNKNOWN_LABEL')
    expect((thrown as AppError).message).toMatch(message)
  })
})

describe('resolveTarget', () => {
  test.each([
    [null, { kind: 'logit', index: null }],
    [{ label: 'dog' }, { kind: 'logit', index: 1 }],
    [{ kind: 'probability' }, { kind: 'probability', index: null }],
    [
      { kind: 'log-odds', index: 2 },
      { kind: 'log-odds', index: 2 },
    ],
    [
      { kind: 'margin', label: 'cat', against: { label: 'dog' } },
      { kind: 'margin', index: 0, against: 1 },
    ],
    [{ kind: 'margin' }, { kind: 'margin', index: null, against: null }],
    [
      { kind: 'contrast', label: 'cat', others: [{ index: 2, weight: 0.5 }] },
      { kind: 'contrast', index: 0, others: [{ index: 2, weight: 0.5 }] },
    ],
    [
      { kind: 'sum', classes: [{ label: 'cat' }, { index: 2 }] },
      { kind: 'sum', indices: [0, 2] },
    ],
    [
      { kind: 'regression', index: 1 },
      { kind: 'regression', index: 1 },
    ],
    [
      { kind: 'cosine', embedding: [0, 2, 0] },
      { kind: 'cosine', to: [0, 2, 0] },
    ],
  ] as const)('%j', (asked, expected) => {
    const found = resolveTarget(asked, LABELS)
    expect(found).toEqual(expected)
    expect(target.parse(found)).toEqual(expected)
    expect(storedTarget(asStored(found))).toEqual(expected)
  })

  test.each([
    [{ kind: 'logit', against: { label: 'dog' } }, 'BAD_INPUT', /kind logit takes label, index, and was given against/],
    [{ kind: 'sum', label: 'dog' }, 'BAD_INPUT', /kind sum takes classes, and was given label/],
    [{ kind: 'margin', label: 'dog', against: { index: 1 } }, 'BAD_INPUT', /two different classes/],
    [{ kind: 'margin', against: {} }, 'BAD_INPUT', /each of against names a class/],
    [{ kind: 'margin', against: { label: 'bird' } }, 'UNKNOWN_LABEL', /no class "bird"/],
    [{ kind: 'contrast', label: 'dog' }, 'BAD_INPUT', /one class at least in others/],
    [{ kind: 'contrast', others: [{ index: 1, weight: Infinity }] }, 'BAD_INPUT', /no number/],
    [{ kind: 'sum' }, 'BAD_INPUT', /one class at least in classes/],
    [{ kind: 'regression' }, 'BAD_INPUT', /name the output/],
    [{ kind: 'cosine', embedding: [0, 0, 0] }, 'BAD_INPUT', /not all of them 0/],
  ] as const)('%j is refused', (asked, code, message) => {
    const resolve = () => resolveTarget(asked, LABELS)
    expect(resolve).toThrow(message)
    expect(resolve).toThrow(expect.objectContaining({ code }))
  })
})

test('a class alone is stored as its index, as before there were other targets', () => {
  expect(asStored(resolveTarget({ label: 'dog' }, LABELS))).toEqual({ targetIndex: 1, target: null })
  expect(asStored(resolveTarget(null, LABELS))).toEqual({ targetIndex: null, target: null })
})

test.each([
  [{ kind: 'logit', index: null }, 'the logit of the predicted class'],
  [{ kind: 'log-odds', index: 1 }, 'the log-odds of dog'],
  [{ kind: 'margin', index: 0, against: 1 }, 'the logit of cat less that of dog'],
  [{ kind: 'margin', index: 0, against: null }, 'the logit of cat less the mean of the others'],
  [{ kind: 'contrast', index: 0, others: [{ index: 2, weight: 0.5 }] }, 'the logit of cat less 0.5 × horse'],
  [{ kind: 'sum', indices: [0, 2] }, 'the sum of the logits of cat, horse'],
] as const)('%j in words', (asked, words) => {
  expect(targetInWords(target.parse(asked), LABELS)).toBe(words)
})
