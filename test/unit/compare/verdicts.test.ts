import { describe, expect, test } from 'vitest'
import { agreementsOf, distinct, sentencesOf, type Column } from '../../../lib/compare/verdicts.ts'

const METHODS = ['Alpha', 'Beta', 'Gamma', 'Delta']

function column(title: string, values: readonly (number | null)[], more: Partial<Column> = {}): Column {
  return { title, better: 'higher', scores: values.map((value) => ({ value, random: null })), ...more }
}

/** Pairs that two orders agree on less those that they do not, of all pairs: no ties here. */
function literalTau(a: readonly number[], b: readonly number[]): number {
  let [agree, pairs] = [0, 0]
  for (let i = 0; i < a.length; i += 1)
    for (let j = i + 1; j < a.length; j += 1) {
      pairs += 1
      agree += (a[i] ?? 0) < (a[j] ?? 0) === (b[i] ?? 0) < (b[j] ?? 0) ? 1 : -1
    }
  return agree / pairs
}

describe('agreement', () => {
  test('is of orders, better counting as better', () => {
    const [up, other] = [[1, 2, 3, 4], [0.1, 0.3, 0.4, 0.2]] // prettier-ignore
    expect(agreementsOf([column('A', up), column('B', other)])).toEqual([
      { first: 0, second: 1, tau: literalTau(up, other), methods: 4 },
    ])
    const lower = column('B', other, { better: 'lower' })
    expect(agreementsOf([column('A', up), lower])[0]?.tau).toBe(-literalTau(up, other))
  })

  test('is of the methods that both are defined for', () => {
    const columns = [column('A', [1, null, 3, 4]), column('B', [9, 8, 7, null]), column('C', [null, 1, null, null])]
    expect(agreementsOf(columns)).toEqual([{ first: 0, second: 1, tau: -1, methods: 2 }])
  })
})

describe('sentences', () => {
  test('name two metrics that disagree, and whom each prefers', () => {
    const reversed = [column('Insertion', [4, 3, 2, 1]), column('Deletion', [4, 3, 2, 1], { better: 'lower' })]
    expect(sentencesOf(reversed, METHODS)).toEqual([
      "Insertion and Deletion order the methods in reverse of each other (Kendall's tau \u22121.00 over 4 methods): the first prefers Alpha, the second Delta.",
    ])
    const mixed = [column('Insertion', [4, 3, 2, 1]), column('ROAD', [3, null, 3, 4])]
    expect(sentencesOf(mixed, METHODS)[0]).toContain('over 3 methods): the first prefers Alpha, the second Delta.')
  })

  test('say so where metrics agree, of how many pairs, and the least', () => {
    const columns = [column('A', [4, 3, 2, 1]), column('B', [4, 3, 2, 1]), column('C', [4, 3, 1, 2])]
    expect(sentencesOf(columns, METHODS)).toEqual([
      "The metrics order the methods more alike than not (least Kendall's tau 0.67 of 3 pairs).",
    ])
  })

  test('tell of five pairs at most, the worst first, and how many more there are', () => {
    const columns = [0, 1, 2, 3].flatMap((at) => [column(`U${at}`, [1, 2, 3, 4]), column(`D${at}`, [4, 3, 2, 1])])
    const sentences = sentencesOf(columns, METHODS)
    expect(sentences).toHaveLength(6)
    expect(sentences.at(-1)).toBe('11 more pairs of metrics disagree as well.')
  })

  test('name the methods that no metric tells from chance', () => {
    const scored = (better: Column['better'], values: readonly number[]): Column => ({
      title: better,
      better,
      scores: values.map((value) => ({ value, random: [0.4, 0.6] })),
    })
    const columns = [scored('higher', [0.7, 0.5, 0.3, 0.6]), scored('lower', [0.7, 0.3, 0.7, 0.4])]
    const about = sentencesOf(columns, METHODS).filter((sentence) => sentence.includes('random'))
    expect(about).toEqual([
      'None of 2 metrics tells Gamma from random numbers: as far as they see, it knows nothing of the model.',
      'None of 2 metrics tells Delta from random numbers: as far as they see, it knows nothing of the model.',
    ])
  })

  test('warn of a metric that stands alone', () => {
    expect(
      sentencesOf([column('Deletion', [1, 2, 3, 4]), column('Unasked', [null, null, null, null])], METHODS),
    ).toEqual(['Deletion alone does not tell which method is better: metrics often disagree. Ask others beside it.'])
    expect(sentencesOf([], METHODS)).toEqual([])
  })

  test('tell two runs of one method apart', () => {
    expect(distinct(['Grad-CAM', 'LIME', 'Grad-CAM'])).toEqual(['Grad-CAM (1)', 'LIME', 'Grad-CAM (2)'])
  })
})
