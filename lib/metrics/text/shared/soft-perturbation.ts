/**
 * Soft perturbation (Zhao and Aletras 2023, 2305.10496): every element of a token's embedding is dropped at random,
 * the more probably the less (sufficiency) or the more (comprehensiveness) the token counts. Special tokens are kept whole.
 * Scores are brought to 0..1 by their own extremes first.
 * Letters: N rows, T tokens, E embedding size.
 */
import { z } from 'zod'
import { given, multiply } from '../../../engine/formula.ts'
import { everyScalar } from '../../../methods/shared/made-rows.ts'
import { randomStream } from '../../../methods/shared/random.ts'
import { repeated, tapIn } from '../../../methods/shared/reading.ts'
import { batchSize, embed } from '../../../methods/text/shared/embedding.ts'
import type { Target } from '../../../target/target.ts'
import { float32 } from '../../../tensor/tensor.ts'
import type { JudgedText, MetricResult } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { resultOf, undefinedResult } from '../../shared/result.ts'
import { mean, meanInterval } from '../../shared/statistics.ts'
import { wordScores, wordTokens } from './tokens.ts'

const softParams = z.strictObject({
  samples: z.int().min(2).max(1000).default(20).meta({
    title: 'Samples',
    description: 'How often the elements to drop are drawn; each takes a prediction.',
  }),
})
export type SoftParams = z.infer<typeof softParams>

const SOFT_PAPER = {
  title: 'Incorporating Attribution Importance for Improving Faithfulness Metrics',
  authors: 'Zhao, Aletras',
  year: 2023,
  url: 'https://arxiv.org/abs/2305.10496',
}

/** For each token how probably an element is kept, from its score in 0..1 among the others': [T]. */
function importances(context: Pick<JudgedText, 'special' | 'attribution' | 'tokenIds'>): Float64Array {
  const scores = wordScores(context)
  const [least, most] = [Math.min(...scores), Math.max(...scores)]
  const all = new Float64Array(context.tokenIds.length).fill(1)
  wordTokens(context).forEach((token, at) => {
    all[token] = most > least ? ((scores[at] ?? Number.NaN) - least) / (most - least) : 0.5
  })
  return all
}

/** The probability for each draw. @param keeps how probably an element of each token is kept, [T] */
async function softScalars(
  context: JudgedText,
  target: Target,
  keeps: ArrayLike<number>,
  samples: number,
): Promise<readonly number[]> {
  const { embedding } = await embed(context)
  const [tokens = 0, size = 0] = embedding.dims
  const rows = {
    place: tapIn(context).id,
    total: samples,
    at: multiply(given('words'), given('kept')),
    shared: { words: float32(embedding.data, [1, tokens, size]) },
    perRow({ first, count }: { first: number; count: number }) {
      const kept = new Float32Array(count * tokens * size)
      for (let row = 0; row < count; row += 1) {
        const { uniform } = randomStream(context.seed, 'dropped elements', first + row)
        for (let token = 0; token < tokens; token += 1)
          for (let element = 0; element < size; element += 1)
            // Behind the text lies padding, which stays.
            kept[(row * tokens + token) * size + element] = uniform() < (keeps[token] ?? 1) ? 1 : 0
      }
      return { kept: float32(kept, [count, tokens, size]) }
    },
    feeds: (count: number) => repeated(context.feeds, count),
  }
  return [...(await everyScalar({ ...context, target }, rows, batchSize(tokens)))]
}

/**
 * Normalised soft sufficiency or comprehensiveness: relative to the text without any word.
 * @returns of sufficiency (1 - max(0, p - p')  - S0) / (1 - S0), of comprehensiveness max(0, p - p') / (1 - S0), with
 *   S0 = 1 - max(0, p - p(no word))
 */
export async function softResult(
  context: JudgedText,
  { samples }: SoftParams,
  kind: 'sufficiency' | 'comprehensiveness',
): Promise<MetricResult> {
  if (wordTokens(context).length === 0)
    return undefinedResult('The text has no tokens besides the special ones, so there is nothing to drop.')
  const { target, whole } = await followed(context)
  const importance = importances(context)
  const none = Float64Array.from(context.special, (special) => (special ? 1 : 0))
  const quiet = { ...context, progress: () => undefined }
  const [empty = Number.NaN] = await softScalars(quiet, target, none, 1)
  const most = Math.max(0, whole - empty)
  if (most === 0)
    return undefinedResult('The class is as probable without any word, so there is no loss to compare with.')
  const keeps =
    kind === 'sufficiency'
      ? importance
      : importance.map((one, token) => (context.special[token] === true ? 1 : 1 - one))
  const lost = (await softScalars(context, target, keeps, samples)).map((left) => Math.max(0, whole - left) / most)
  const values = kind === 'sufficiency' ? lost.map((share) => 1 - share) : lost
  return resultOf(mean(values), { interval: meanInterval(values) })
}

/** What these metrics say of themselves alike. */
export const SOFT = {
  version: 1,
  modality: 'text',
  family: 'faithfulness',
  misleads:
    'Embeddings with holes are nothing that the model was trained on, and how it takes them says something of the model too: compare with the random control. The scores are brought to 0..1 by their own least and largest value, so one outlier makes all other tokens alike, and what speaks against the class counts as what counts least. Where the class is nearly as probable without any word, the norm is small and the numbers are wild; the interval is only of the draws.',
  paper: SOFT_PAPER,
  needs: [{ place: 'embedding' }],
  needsAnnotation: false,
  params: softParams,
  better: 'higher',
} as const
