/** The straight way from a baseline to a text, token by token. Letters: T tokens, E embedding size. */
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import type { Way } from '../../shared/path-integral.ts'
import { straightPath } from '../../shared/path-rows.ts'
import { repeated, tapIn } from '../../shared/reading.ts'
import { batchSize } from './embedding.ts'

/** Of a batch of points [B, T, E]. */
const FEATURES = [2]
const asRow = ({ data, dims }: FloatTensor): FloatTensor => float32(data, [1, ...dims])

/** @param embedding of the text, [T, E] @param baseline of the same shape */
export function wayOf(context: TextContext, embedding: FloatTensor, baseline: FloatTensor): Way {
  const [tokens = 0] = embedding.dims
  return {
    place: tapIn(context).id,
    path: straightPath(asRow(embedding), asRow(baseline)),
    baseline: asRow(baseline),
    over: FEATURES,
    places: tokens,
    perQuestion: batchSize(tokens),
    feeds: (count) => repeated(context.feeds, count),
  }
}
