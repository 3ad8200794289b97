import { textMetric } from '../metric.ts'
import { RATIONALE_COST, rationaleCurve, rationaleParams, type RationaleParams } from './shared/rationale-curve.ts'
import { ERASER_PAPER } from './shared/rationale.ts'

export const sufficiency = textMetric<RationaleParams>({
  id: 'sufficiency',
  version: 1,
  modality: 'text',
  family: 'faithfulness',
  title: 'Sufficiency',
  summary: 'How much of the probability is lost when only the tokens that count most are kept.',
  meaning:
    'Only the tokens with the largest scores are kept, in rationales of several sizes, and what the probability of the explained class loses is averaged over the sizes: p(text) − p(rationale alone). Near 0 or below, the rationale is enough for the model to say the same; near 1, it is not. The curve keeps the probability at each size.',
  misleads:
    'A handful of words out of a sentence is no text that the model was trained on. Strong words of sentiment suffice by themselves whether or not the model used them here, and models that lean to the explained class when they see little give everything a good score: the random control shows how good. Only the order of the scores counts, and values of different texts are not on one scale.',
  paper: ERASER_PAPER,
  needs: [],
  needsAnnotation: false,
  params: rationaleParams,
  better: 'lower',
  cost: RATIONALE_COST,
  run: (context, params) => rationaleCurve(context, params, 'keeping'),
})
