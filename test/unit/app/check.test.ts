import { describe, expect, it } from 'vitest'
import { nearestPoint, pointInWords, stopsOf, valueRange } from '../../../app/_check/curves.ts'
import { quickOnes, whyNot } from '../../../app/_check/families.ts'
import { isMarked, isOfTheseMarks } from '../../../app/_check/marks.ts'
import { scaleOf } from '../../../app/_check/scale.ts'
import { beats, singleRandom, standingInWords } from '../../../app/_check/standing.ts'
import { verdicts } from '../../../app/_check/verdicts.ts'
import type { Annotation, Control, Evaluation, OfferedMetric } from '../../../app/_graphql/types.ts'

function control(id: string, value: number | null, half: number | null = null, samples = 5): Control {
  const interval = half === null || value === null ? null : { low: value - half, high: value + half }
  return { id, value, interval, samples, curve: null }
}

function metricOf(id: string, made: Partial<Evaluation['metric']> = {}): Evaluation['metric'] {
  const texts = { title: id, summary: '', meaning: '', misleads: '', paper: null }
  return { id, family: 'FAITHFULNESS', better: 'HIGHER', needsAnnotation: false, ...texts, ...made }
}

function evaluation(
  id: string,
  value: number | null,
  controls: readonly Control[],
  metric: Partial<Evaluation['metric']> = {},
): Evaluation {
  const rest = { progress: 1, error: null, params: {}, interval: null, curve: null, diagnoses: [], annotation: null }
  return { id, status: 'DONE', metric: metricOf(id, metric), value, controls: [...controls], ...rest }
}

const wins = (id: string, metric: Partial<Evaluation['metric']> = {}) =>
  evaluation(id, 0.9, [control('random', 0.5, 0.05)], metric)
const ties = (id: string, metric: Partial<Evaluation['metric']> = {}) =>
  evaluation(id, 0.5, [control('random', 0.5, 0.05)], metric)
const sentences = (...evaluations: Evaluation[]) => verdicts(evaluations).map(({ sentence }) => sentence)

describe('the comparison with random attributions', () => {
  it('is with where a single one would lie, not with their mean', () => {
    // Student's t, 3 seeds: the interval of the mean is t s / √3, that of one more draw t s √(1 + 1/3).
    const single = singleRandom(control('random', 1, 0.5, 3))
    expect(single?.low).toBeCloseTo(1 - 0.5 * Math.sqrt(3) * Math.sqrt(1 + 1 / 3), 12)
    expect(beats(evaluation('a', 1.9, [control('random', 1, 0.5, 3)]), 'random')).toBe(false)
    expect(beats(evaluation('a', 2.1, [control('random', 1, 0.5, 3)]), 'random')).toBe(true)
  })

  it('goes the way in which the metric is better', () => {
    const lower = { better: 'LOWER' } as const
    expect(beats(evaluation('a', 0.1, [control('random', 0.5, 0.05)], lower), 'random')).toBe(true)
    expect(beats(evaluation('a', 0.9, [control('random', 0.5, 0.05)], lower), 'random')).toBe(false)
    expect(beats(evaluation('a', 0.1, [control('edges', 0.2)], lower), 'edges')).toBe(true)
  })

  it('asks that the whole of the value’s own interval is better', () => {
    const sure = evaluation('a', 0.7, [control('random', 0.5, 0.05)])
    expect(beats(sure, 'random')).toBe(true)
    expect(beats({ ...sure, interval: { low: 0.55, high: 0.85 } }, 'random')).toBe(false)
  })

  it('is left out where controls are at one end by construction, or one input cannot tell', () => {
    for (const family of ['ROBUSTNESS', 'SANITY', 'COMPLEXITY'] as const)
      expect(beats(wins('a', { family }), 'random')).toBeNull()
    expect(beats(wins('pointing-game', { family: 'LOCALISATION' }), 'random')).toBeNull()
    expect(standingInWords(wins('pointing-game'))).toMatch(/yes or no/)
    expect(beats(evaluation('a', null, [control('random', 0.5, 0.1)]), 'random')).toBeNull()
    expect(beats(evaluation('a', 1, [control('random', null)]), 'random')).toBeNull()
  })

  it('is said in words', () => {
    const controls = [control('random', 0.5, 0.05), control('uniform', 0.4), control('edges', 0.95)]
    expect(standingInWords(evaluation('a', 0.9, controls))).toBe('no better than edges; better than random and uniform')
    expect(standingInWords(evaluation('a', 0.5, controls))).toBe(
      'not clearly better than random; no better than edges; better than uniform',
    )
    expect(standingInWords(evaluation('a', 0.1, controls))).toBe('worse than random; no better than uniform and edges')
  })
})

describe('what metrics say together', () => {
  it('names both sides where they disagree', () => {
    const [sentence, ...more] = sentences(wins('Deletion'), ties('Insertion'), wins('ROAD'), ties('Drop'))
    expect(sentence).toMatch(
      /^The faithfulness metrics disagree: 2 of 4 are not clearly better than random \(Insertion and Drop\), 2 are better \(Deletion and ROAD\)\./,
    )
    expect(more).toEqual([])
  })

  it('tells agreement either way, and never lets one stand alone', () => {
    expect(sentences(wins('A'), wins('B'))).toEqual(['Both faithfulness metrics are better than random (A and B).'])
    expect(sentences(ties('A'), ties('B'))[0]).toMatch(/^Neither of the 2 faithfulness metrics is clearly better/)
    expect(sentences(wins('A'))[0]).toBe(
      'A is better than random. One faithfulness metric alone says little: ask for others beside it.',
    )
    expect(sentences()).toEqual([])
  })

  it('says where something that knows nothing does as well', () => {
    const reached = evaluation('A', 0.9, [control('random', 0.5, 0.05), control('edges', 0.95)])
    expect(sentences(reached, wins('B'))).toContain(
      'Better than random, but the edges of the picture alone do as well by A.',
    )
  })

  it('sets following the model against lying where a person looked', () => {
    const family = 'LOCALISATION' as const
    expect(sentences(wins('A'), wins('B'), ties('C', { family }), ties('D', { family })).at(-1)).toMatch(
      /^It follows the model, but lies on the marked part not clearly more/,
    )
    expect(sentences(ties('A'), ties('B'), wins('C', { family }), wins('D', { family })).at(-1)).toMatch(
      /^It lies on the marked part, but does not clearly follow/,
    )
  })

  it('counts a metric once, as it was asked last, and only when it is done', () => {
    const [sentence] = sentences(wins('A'), wins('B'), ties('A'))
    expect(sentence).toContain('1 of 2 is not clearly better than random (A), 1 is better (B)')
    expect(sentences({ ...wins('A'), status: 'RUNNING' })).toEqual([])
  })
})

describe('the scale of a value and its controls', () => {
  const controls = [control('random', 2, 1, 3), control('uniform', 0), control('edges', 10)]

  it('has the better end on the right, whichever way the numbers run', () => {
    const higher = scaleOf(evaluation('a', 5, controls))
    const lower = scaleOf(evaluation('a', 5, controls, { better: 'LOWER' }))
    expect(higher?.value).toBeCloseTo(0.5, 12)
    expect(higher).toMatchObject({ uniform: 0, edges: 1, random: { mean: 0.2, single: { low: 0, high: 0.4 } } })
    expect(lower).toMatchObject({ uniform: 1, edges: 0, random: { mean: 0.8, single: { low: 0.6, high: 1 } } })
  })

  it('is in the middle where all are the same, and none where there is no value', () => {
    expect(scaleOf(evaluation('a', 3, [control('uniform', 3)]))?.value).toBe(0.5)
    expect(scaleOf(evaluation('a', null, controls))).toBeNull()
  })
})

describe('a curve', () => {
  it('is drawn from 0 to 1 where it lies in it', () => {
    expect(valueRange([0.2, 0.9])).toEqual([0, 1])
    expect(valueRange([-0.5, 0.9])).toEqual([-0.5, 0.9])
    expect(valueRange([3])).toEqual([2.5, 3.5])
  })

  it('is read once where several points are the same share', () => {
    expect(stopsOf([0.1, 0.1, 0.2, 0.2, 0.5])).toEqual([0, 2, 4])
  })

  it('is read at the nearest point, beside the random one there', () => {
    const curve = { share: [0, 0.5, 1], value: [0.9, 0.4, 0.1] }
    expect(nearestPoint(curve.share, 0.7)).toBe(1)
    expect(pointInWords(curve, null, 1, 'probability')).toBe('At 50.0 %: probability 0.4')
    const random = { share: [0, 1], value: [0.9, 0.8] }
    expect(pointInWords(curve, random, 2, 'probability')).toBe('At 100.0 %: probability 0.1, random 0.8')
  })
})

describe('marks', () => {
  const box = { x: 0.1, y: 0.2, width: 0.3, height: 0.4 }
  const drawn: Annotation = { id: '1', note: '', box, span: null, createdAt: '' }
  const note: Annotation = { ...drawn, box: null }
  const words: Annotation = { ...note, span: { start: 3, end: 7, text: 'film' } }

  it('are those that an evaluation was made with, or not any more', () => {
    const made = { annotation: { kind: 'boxes', boxes: [box] } }
    expect(isOfTheseMarks(made, [drawn, note])).toBe(true)
    expect(isOfTheseMarks(made, [drawn, { ...drawn, box: { ...box, x: 0 } }])).toBe(false)
    expect(isOfTheseMarks(made, [])).toBe(false)
    expect(isOfTheseMarks({ annotation: { kind: 'spans', spans: [{ start: 3, end: 7 }] } }, [words])).toBe(true)
  })

  it('are not every annotation', () => {
    expect(isMarked([note])).toBe(false)
    expect(isMarked([words])).toBe(true)
  })
})

describe('the metrics that are asked first', () => {
  const offer = (id: string, made: Partial<OfferedMetric> = {}): OfferedMetric => ({
    available: true,
    reason: null,
    passes: 10,
    metric: metricOf(id, { needsAnnotation: id === 'energy-inside' }),
    ...made,
  })

  it('are quick, suit the model, and compare with marks only where there are some', () => {
    const offered = [
      offer('deletion'),
      offer('insertion', { passes: 90_000 }),
      offer('completeness-error', { available: false, reason: 'It does not add up.' }),
      offer('energy-inside'),
      offer('mprt'),
    ]
    expect(quickOnes(offered, false, 'IMAGE')).toEqual(['deletion'])
    expect(quickOnes(offered, true, 'IMAGE')).toEqual(['deletion', 'energy-inside'])
  })

  it('say why one cannot be asked', () => {
    expect(whyNot(offer('energy-inside'), false, 'IMAGE')).toMatch(/draw one on the picture/)
    expect(whyNot(offer('energy-inside'), true, 'IMAGE')).toBeNull()
    expect(whyNot(offer('deletion', { reason: 'No.' }), true, 'IMAGE')).toBe('No.')
  })
})
