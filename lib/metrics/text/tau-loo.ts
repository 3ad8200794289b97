/** Kendall's tau-b of the scores and of what the probability loses without each token (leave one out; Jain and Wallace 2019, 1902.10186). */
import { z } from 'zod'
import { textMetric } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { kendallTau } from '../shared/statistics.ts'
import { valuesOfTexts, without, wordScores, wordTokens } from './shared/tokens.ts'

export const tauLoo = textMetric({
  id: 'tau-loo',
  version: 1,
  modality: 'text',
  family: 'faithfulness',
  title: 'Tau against leave-one-out',
  summary: 'Whether the tokens rank as what the probability loses without each of them.',
  meaning:
    'Each token is deleted by itself, and what the probability of the explained class loses is its effect. The number is Kendall’s rank correlation (tau-b) of the scores with these effects: 1 where the order is the same, 0 where they are unrelated, −1 where it is turned over.',
  misleads:
    'Single tokens of a longer text change almost nothing: most of the effects are rounding and context, their order is noise, and 0.2 may be good. Where the text says the same thing twice, leaving out one of them has no effect though both count. The effect of one token at a time is itself an explanation, with its own faults: the number says how alike two explanations are.',
  paper: {
    title: 'Attention is not Explanation',
    authors: 'Jain, Wallace',
    year: 2019,
    url: 'https://arxiv.org/abs/1902.10186',
  },
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  better: 'higher',
  cost: (_params, { tokens }) => tokens + 1,
  async run(context) {
    const { target, whole } = await followed(context)
    const texts = wordTokens(context).map((token) => without(context, [token]))
    const effects = (await valuesOfTexts(context, { target, whole }, texts)).map((left) => whole - left)
    const tau = kendallTau(wordScores(context), effects)
    if (tau === null)
      return undefinedResult('All tokens have the same score, or the same effect, so there is no order to compare.')
    return resultOf(tau)
  },
})
