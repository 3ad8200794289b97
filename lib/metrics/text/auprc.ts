/**
 * Area under the precision-recall curve of the scores against what was marked (DeYoung et al. 2020, 1911.03429, section 4): by
 * the trapezoid rule over the distinct scores, as scikit-learn's `auc(recall, precision)` and so ERASER and ferret.
 */
import { z } from 'zod'
import { textMetric } from '../metric.ts'
import { byFallingScore } from '../shared/ranking.ts'
import { resultOf } from '../shared/result.ts'
import { ERASER_PAPER, markedWords } from './shared/rationale.ts'
import { wordScores } from './shared/tokens.ts'

/** Recall and precision from none to all, at each distinct score. */
function precisionRecall(
  scores: readonly number[],
  marked: readonly boolean[],
): { readonly recall: readonly number[]; readonly precision: readonly number[] } {
  const order = byFallingScore(scores)
  const all = marked.filter(Boolean).length
  const recall = [0]
  const precision = [1]
  let hits = 0
  order.forEach((at, taken) => {
    if (marked[at] === true) hits += 1
    const next = order[taken + 1]
    if (next !== undefined && scores[next] === scores[at]) return // equal scores are taken together
    if ((recall.at(-1) ?? 0) === 1) return // behind full recall nothing is looked at any more
    recall.push(hits / all)
    precision.push(hits / (taken + 1))
  })
  return { recall, precision }
}

export const auprc = textMetric({
  id: 'auprc',
  version: 1,
  modality: 'text',
  family: 'plausibility',
  title: 'Area under precision and recall',
  summary: 'Whether the tokens that a person marked have the largest scores, for any number of them.',
  meaning:
    'Tokens are taken by falling score; at each size the precision is the share of those taken that are marked, the recall the share of the marked that are taken. The number is the area under precision over recall: 1 where all marked tokens come first. The curve has precision for each recall. Scores that know nothing reach about the share of the tokens that is marked, as the random control shows.',
  misleads:
    'It asks whether the explanation is what a person would say, not whether it is what the model does: a model that reads other words has a faithful explanation with a small number, and a plausible one may be false. People mark whole phrases, models need a word of it. Negative scores count as small ones, though they may be what the class is decided on.',
  paper: ERASER_PAPER,
  needs: [],
  needsAnnotation: true,
  params: z.strictObject({}),
  better: 'higher',
  cost: () => 0,
  run(context) {
    const { recall, precision } = precisionRecall(wordScores(context), markedWords(context))
    const area = recall.slice(1).reduce((sum, one, at) => {
      return sum + ((one - (recall[at] ?? 0)) * ((precision[at + 1] ?? 0) + (precision[at] ?? 0))) / 2
    }, 0)
    return Promise.resolve(resultOf(area, { curve: { share: recall, value: precision } }))
  },
})
