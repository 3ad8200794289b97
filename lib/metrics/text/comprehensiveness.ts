import { textMetric } from '../metric.ts'
import { RATIONALE_COST, rationaleCurve, rationaleParams, type RationaleParams } from './shared/rationale-curve.ts'
import { ERASER_PAPER } from './shared/rationale.ts'

export const comprehensiveness = textMetric<RationaleParams>({
  id: 'comprehensiveness',
  version: 1,
  modality: 'text',
  family: 'faithfulness',
  title: 'Comprehensiveness',
  summary: 'How much the probability falls when the tokens that count most are deleted.',
  meaning:
    'The tokens with the largest scores are deleted, in rationales of several sizes, and the fall of the explained class’s probability is averaged over the sizes: p(text) − p(text without the rationale). Near 1, the model cannot do without what the scores point at; near 0, it does as well without. Negative numbers mean that the deleted tokens spoke against the class. The curve keeps the probability at each size.',
  misleads:
    'A text with words missing is no text that the model was trained on, and the probability may fall for that reason alone: compare with the random control, which deletes as many. Where a text repeats itself, deleting one of two sufficient passages changes nothing, and a right explanation scores low. A model that was sure to begin with has more to lose than one that was not, so values of different texts are not on one scale. Only the order of the scores counts.',
  paper: ERASER_PAPER,
  needs: [],
  needsAnnotation: false,
  params: rationaleParams,
  better: 'higher',
  cost: RATIONALE_COST,
  run: (context, params) => rationaleCurve(context, params, 'without'),
})
