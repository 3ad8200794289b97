import { textMetric } from '../metric.ts'
import { RANDOM_LOGIT, similarityOfOtherClasses, type OtherClassesParams, valuesAt } from '../shared/other-classes.ts'
import { wordScores, wordTokens } from './shared/tokens.ts'

export const randomLogit = textMetric<OtherClassesParams>({
  ...RANDOM_LOGIT,
  modality: 'text',
  meaning:
    'The scores of another class, drawn at random, are made in the same way, and the number is Spearman’s rank correlation of the two: 1 where both have the same order, so that the explanation has nothing to do with the class, 0 where they are unrelated, −1 where one is the other turned over. With several classes it is their mean, with an interval over them.',
  cost: ({ classes }, { again }) => classes * again + 1,
  run: (context, params) =>
    similarityOfOtherClasses(context, wordScores(context), params, async (target) =>
      valuesAt(await context.again({ ...context, target }), wordTokens(context)),
    ),
})
