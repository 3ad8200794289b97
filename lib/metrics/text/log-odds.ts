/**
 * Log-odds (Chen et al. 2020, HEDGE, 2004.02015): log p(x with the first r % of the tokens by score padded) - log p(x).
 */
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { textMetric, type JudgedText } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { ranked, valuesOfTexts } from './shared/tokens.ts'

const params = z.strictObject({
  share: z.number().min(0.01).max(1).default(0.2).meta({
    title: 'Share',
    description: 'Which share of the tokens is replaced, rounded up: those with the largest scores.',
  }),
  replacement: z.enum(['mask', 'pad']).default('pad').meta({
    title: 'Replacement',
    description: 'What replaces a token. pad: the padding token, as in the paper. mask: the mask token.',
  }),
})

function idOf({ vocabulary }: JudgedText, replacement: 'mask' | 'pad'): number {
  const id = vocabulary[replacement]
  if (id !== null) return id
  throw new AppError({
    code: 'BAD_PARAMETER',
    message: `replacement is ${replacement}, and this model’s tokenizer has no such token. Choose the other one.`,
    details: { value: replacement },
  })
}

export const logOdds = textMetric<z.infer<typeof params>>({
  id: 'log-odds',
  version: 1,
  modality: 'text',
  family: 'faithfulness',
  title: 'Log-odds',
  summary: 'By what factor the probability shrinks, as a logarithm, when the tokens that count most are replaced.',
  meaning:
    'A share of the tokens, those with the largest scores, is replaced by the padding token; the number is the natural logarithm of the probability of the class after over that before. −0.7 means that it is halved, −2.3 that a tenth is left; 0 or more, that nothing is lost. The text keeps its length and the other tokens their places.',
  misleads:
    'A padding token in the middle of a text is something that no model was trained on, and some ignore it, some break: the mask token is another choice, with other numbers. A logarithm makes much of what is near 0: falls from 0.01 to 0.001 and from 1 to 0.1 count alike. Only one size of the rationale is looked at, and only the order of the scores counts.',
  paper: {
    title: 'Generating Hierarchical Explanations on Text Classification via Feature Interaction Detection',
    authors: 'Chen, Zheng, Ji',
    year: 2020,
    url: 'https://arxiv.org/abs/2004.02015',
  },
  needs: [],
  needsAnnotation: false,
  params,
  better: 'lower',
  cost: () => 2,
  async run(context, { share, replacement }) {
    const id = idOf(context, replacement)
    const order = ranked(context)
    const { target, whole } = await followed(context)
    const gone = new Set(order.slice(0, Math.ceil(share * order.length)))
    const ids = context.tokenIds.map((own, token) => (gone.has(token) ? id : own))
    const [left = Number.NaN] = await valuesOfTexts(context, { target, whole }, [ids])
    if (!(left > 0 && whole > 0))
      return undefinedResult('The probability of the class is 0, before or after, and 0 has no logarithm.')
    return resultOf(Math.log(left) - Math.log(whole))
  },
})
