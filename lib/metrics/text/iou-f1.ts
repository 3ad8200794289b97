/**
 * IOU F1 (DeYoung et al. 2020, 1911.03429, section 4): spans of the tokens with the largest scores are compared with the marked
 * ones; two match where they share at least half of the tokens that either has. `ferret` has one number for all tokens: their
 * intersection over their union.
 */
import { z } from 'zod'
import { textMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { ERASER_PAPER, fMeasure, markedIn, runsOf, topParams, topTokens } from './shared/rationale.ts'

const params = topParams.extend({
  dialect: z.enum(['eraser', 'ferret']).default('eraser').meta({
    title: 'Dialect',
    description:
      'eraser: F1 over spans that match by at least the threshold. ferret: intersection over union of all tokens, no spans.',
  }),
  threshold: z.number().min(0.01).max(1).default(0.5).meta({
    title: 'Threshold',
    description: 'For eraser: from which intersection over union on two spans match.',
  }),
})

function overlap(a: readonly number[], b: readonly number[]): number {
  const both = a.filter((token) => b.includes(token)).length
  return both === 0 ? 0 : both / (a.length + b.length - both)
}

export const iouF1 = textMetric<z.infer<typeof params>>({
  id: 'iou-f1',
  version: 1,
  modality: 'text',
  family: 'plausibility',
  title: 'IOU F1',
  summary: 'How far the spans with the largest scores are the spans that a person marked.',
  meaning:
    'The tokens with the largest scores, by default as many as are marked, form spans of neighbours. A span matches where it shares with a marked one at least half of the tokens that either has; the number is the harmonic mean of the share of spans that match and the share of marks that are matched.',
  misleads:
    'Scores single out words, people mark phrases: spans of one word rarely share half of a phrase, and 0 is the usual value even of plausible explanations. Read token F1 beside it. It says nothing of what the model does. A gap of one token, a comma, cuts a span in two.',
  paper: ERASER_PAPER,
  needs: [],
  needsAnnotation: true,
  params,
  better: 'higher',
  cost: () => 0,
  run(context, { dialect, threshold, tokens }) {
    const { spans } = markedIn(context)
    const top = topTokens(context, { tokens })
    const marked = [...new Set(spans.flat())]
    if (dialect === 'ferret') return Promise.resolve(resultOf(overlap(top, marked)))
    const found = runsOf(top)
    const matches = (one: readonly number[], others: readonly (readonly number[])[]): boolean =>
      others.some((other) => overlap(one, other) >= threshold)
    const precision = found.filter((span) => matches(span, spans)).length / found.length
    const recall = spans.filter((span) => matches(span, found)).length / spans.length
    return Promise.resolve(resultOf(fMeasure(precision, recall)))
  },
})
