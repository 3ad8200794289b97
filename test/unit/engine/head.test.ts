/** Which output is taken, and what makes probabilities of it. */
import { describe, expect, test } from 'vitest'
import { chooseOutput, classesIn, settleLink, type OutputHead } from '../../../lib/engine/head.ts'

const output = (name: string, shape: OutputHead['shape'], more: Partial<OutputHead> = {}): OutputHead => ({
  name,
  shape,
  scores: name,
  link: null,
  ...more,
})
const chosen = (outputs: readonly OutputHead[], labels: number, name?: string): string =>
  chooseOutput(outputs, { labels, output: name }).name

test.each([
  [['N', 3], 3],
  [['N', 3, 1, 1], 3],
  [['N', 1, 1, 3], 3],
  [['N'], 1],
  [['N', 1], 1],
  [['N', null], null],
  [null, null],
  [['N', 7, 3], undefined],
  [[], undefined],
] as const)('a row of %j has %s numbers', (shape, classes) => {
  expect(classesIn(shape)).toBe(classes)
})

describe('the output', () => {
  test.each<[string, readonly OutputHead[], number]>([
    ['scores', [output('embedding', ['N', 8]), output('scores', ['N', 3])], 3],
    ['predictions', [output('aux', ['N', 3]), output('predictions', ['N', 3])], 3],
    ['main', [output('aux_head', ['N', 3]), output('main', ['N', 3])], 3],
    ['logits', [output('features', ['N', 3]), output('logits', ['N', 3])], 3],
    ['b', [output('a', ['N', 7, 2]), output('b', ['N', 1])], 2],
    // Two numbers for two labels before one.
    ['b', [output('a', ['N', 1]), output('b', ['N', 2])], 2],
    // Hidden states are no scores, whatever their last axis.
    ['pooled', [output('last_hidden_state', ['N', 'T', 3]), output('pooled', ['N', 3])], 3],
  ])('%s of several', (name, outputs, labels) => {
    expect(chosen(outputs, labels)).toBe(name)
  })

  test('logits and their own probabilities are one: the link is known by the second', () => {
    const both = [output('logits', ['N', 3]), output('p', ['N', 3], { scores: 'logits', link: 'sigmoid' })]
    expect(chooseOutput(both, { labels: 3 })).toMatchObject({ scores: 'logits', link: 'sigmoid' })
  })

  test('several that nothing tells apart: refused, with the field that does', () => {
    const both = [output('out_1', ['N', 3]), output('out_2', ['N', 3])]
    expect(() => chosen(both, 3)).toThrow(/"out_1" \[N, 3\], "out_2" \[N, 3\].*card\.json.*"output"/)
    expect(chosen(both, 3, 'out_1')).toBe('out_1')
  })

  test('features alone, and a name that is not there: refused', () => {
    expect(() => chosen([output('features', ['N', 512])], 3)).toThrow(
      /answers 512 classes and its card names 3.*"features" \[N, 512\].*classification head/,
    )
    expect(() => chosen([output('features', ['N', 512])], 3, 'logits')).toThrow(/"logits".*has "features" \[N, 512\]/)
    expect(() => chosen([output('a', ['N', 8]), output('b', ['N', 3])], 3, 'a')).toThrow(/card names 3.*"a" \[N, 8\]/)
  })
})

describe('the link', () => {
  test.each([
    ['softmax', 3, 3, undefined, { link: 'softmax', linkBasis: 'graph', pair: false }],
    ['sigmoid', 1, 2, undefined, { link: 'sigmoid', linkBasis: 'graph', pair: true }],
    ['sigmoid', 1, 1, undefined, { link: 'sigmoid', linkBasis: 'graph', pair: false }],
    ['softmax', 3, 3, 'none', { link: 'none', linkBasis: 'card', pair: false }],
    [null, 3, 3, 'sigmoid', { link: 'sigmoid', linkBasis: 'card', pair: false }],
    [null, 3, 3, undefined, { link: 'softmax', linkBasis: 'assumed', pair: false }],
    [null, 1, 2, undefined, { link: 'sigmoid', linkBasis: 'assumed', pair: true }],
    [null, 1, 1, undefined, { link: 'none', linkBasis: 'assumed', pair: false }],
  ] as const)('graph %s, %i numbers, %i labels, card %s', (found, classes, labels, link, settled) => {
    expect(settleLink(found, classes, { labels, link })).toEqual(settled)
  })

  test('a contradiction is refused', () => {
    expect(() => settleLink('sigmoid', 3, { labels: 3, link: 'softmax' })).toThrow(/ends in a sigmoid/)
    expect(() => settleLink(null, 1, { labels: 2, link: 'softmax' })).toThrow(/one number for two labels/)
  })
})
