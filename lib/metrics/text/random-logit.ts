import { textMetric } from '../metric.ts'
import {
  otherClassesParams,
  similarityOfOtherClasses,
  valuesAt,
  type OtherClassesParams,
} from '../shared/other-classes.ts'
import { wordScores, wordTokens } from './shared/tokens.ts'

export const randomLogit = textMetric<OtherClassesParams>({
  id: 'random-logit',
  version: 1,
  modality: 'text',
  family: 'sanity',
  title: 'Random logit',
  summary: 'How much the explanation stays the same when another class is explained.',
  meaning:
    'The scores of another class, drawn at random, is made in the same way, and the number is Spearman’s rank correlation of the two: 1 where both have the same order, so that the explanation has nothing to do with the class, 0 where they are unrelated, −1 where one is the other turned over. With several classes it is their mean, with an interval over them.',
  misleads:
    'Classes that look or mean alike may rightly be explained alike, two breeds of cat above all. Of two classes one is often exactly the other with the sign turned, which gives −1 and says little. Rectified or absolute values cannot be negative and are alike for that reason. A method that passes may still be wrong for both classes.',
  paper: {
    title: 'When Explanations Lie: Why Many Modified BP Attributions Fail',
    authors: 'Sixt, Granz, Landgraf',
    year: 2020,
    url: 'https://arxiv.org/abs/1912.09818',
  },
  needs: [],
  needsAnnotation: false,
  params: otherClassesParams,
  better: 'lower',
  cost: ({ classes }, { again }) => classes * again + 1,
  run: (context, params) =>
    similarityOfOtherClasses(context, wordScores(context), params, async (target) =>
      valuesAt(await context.again({ ...context, target }), wordTokens(context)),
    ),
})
