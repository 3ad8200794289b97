/** Which words explanations of reviews-minilm name: those that people named or edited, or others. */
import { AppError } from '../../lib/errors.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import { editedReviews, reviewsWithRationales, type MarkedReview } from '../datasets/annotated.ts'
import type { Values } from './figures.ts'
import {
  controlJudgements,
  exampleOf,
  forgetting,
  judgements,
  metricOf,
  type Example,
  type Judged,
  type Question,
} from './judged.ts'
import { qualityPart, type Asking, type QualityPart } from './part.ts'

interface SizedReview extends MarkedReview {
  /** Special ones included. */
  readonly tokens: number
}

function exampleFor(asking: Asking, { text, label }: MarkedReview): Example {
  return exampleOf(asking.loaded, { kind: 'text', text }, label)
}

/** The shortest, shortest first: read whole by the model, and affordable. */
async function shortest(
  reviews: AsyncGenerator<MarkedReview>,
  { loaded }: Asking,
  count: number,
): Promise<SizedReview[]> {
  const { tokenizer, entry } = loaded
  const { preprocessing } = entry.card
  if (tokenizer === null || preprocessing.kind !== 'text')
    throw new AppError({ code: 'BAD_MODEL', message: `${entry.id} reads no text` })
  const sized: SizedReview[] = []
  for await (const review of reviews) {
    const { ids } = await tokenizer.encode(review.text, preprocessing)
    if (ids.length < preprocessing.maxTokens) sized.push({ ...review, tokens: ids.length })
  }
  return sized.sort((a, b) => a.tokens - b.tokens || (a.name < b.name ? -1 : 1)).slice(0, count)
}

function questions({ marks }: MarkedReview): readonly Question[] {
  return [
    { metric: metricOf('text', 'auprc'), marks },
    // As many tokens as are marked: the share of the top ones that is marked, and of the marked that is on top.
    { metric: metricOf('text', 'token-f1'), marks },
  ]
}

function valuesOf([auprc, tokenF1]: readonly Judged[]): Values {
  return { auprc: auprc?.value ?? null, 'token-f1': tokenF1?.value ?? null }
}

const judgedByMarks: Pick<QualityPart<SizedReview>, 'model' | 'repeats' | 'judge' | 'controls'> = {
  model: 'reviews-minilm',
  repeats: 0,
  async judge(review, method, asking) {
    return valuesOf(await judgements(asking, exampleFor(asking, review), method, questions(review)))
  },
  async controls(review, asking) {
    const nothing = float32(new Float32Array(review.tokens), [review.tokens])
    const judged = await controlJudgements(asking, exampleFor(asking, review), nothing, questions(review))
    return { random: valuesOf(judged.control('random')), uniform: valuesOf(judged.control('uniform')) }
  },
}

export const rationales = qualityPart<SizedReview>({
  ...judgedByMarks,
  part: 'rationales',
  file: 'rationales.jsonl.xz',
  most: 34,
  budget: 30_000,
  samples: (data, asking) => shortest(reviewsWithRationales(data), asking, 34),
})

export const edits = qualityPart<SizedReview>({
  ...judgedByMarks,
  part: 'edits',
  file: 'counterfactual-pairs.jsonl.xz',
  most: 100,
  budget: 30_000,
  samples: (data, asking) => shortest(editedReviews(data), asking, 100),
})

export const sanityTexts = qualityPart<SizedReview>({
  part: 'sanity-texts',
  model: 'reviews-minilm',
  file: 'counterfactual-pairs.jsonl.xz',
  most: 5,
  budget: 10_000,
  repeats: 4,
  samples: (data, asking) => shortest(editedReviews(data), asking, 50),
  judge: (review, method, asking) => forgetting(asking, exampleFor(asking, review), method),
  controls: () => Promise.resolve({}),
})
