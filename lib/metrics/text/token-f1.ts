import { textMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import {
  ERASER_PAPER,
  fMeasure,
  markedIn,
  markedWords,
  topParams,
  topTokens,
  type TopParams,
} from './shared/rationale.ts'

export const tokenF1 = textMetric<TopParams>({
  id: 'token-f1',
  version: 1,
  modality: 'text',
  family: 'plausibility',
  title: 'Token F1',
  summary: 'How far the tokens with the largest scores are those that a person marked.',
  meaning:
    'The tokens with the largest scores, by default as many as are marked, are compared with the marked ones: the number is the harmonic mean of precision (the share of them that is marked) and recall (the share of the marked that is among them). 1 is the same set, 0 none in common.',
  misleads:
    'It asks whether the explanation is what a person would say, not whether it is what the model does. With as many tokens as are marked, it is told how long the answer is, which no user is; with another number, the best that can be reached is below 1. Where several tokens have the score at the edge, their position decides.',
  paper: ERASER_PAPER,
  needs: [],
  needsAnnotation: true,
  params: topParams,
  better: 'higher',
  cost: () => 0,
  run(context, params) {
    const { inside } = markedIn(context)
    const top = topTokens(context, params)
    const hits = top.filter((token) => inside[token] === true).length
    const marked = markedWords(context).filter(Boolean).length
    return Promise.resolve(resultOf(fMeasure(hits / top.length, hits / marked)))
  },
})
