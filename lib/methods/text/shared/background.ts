/** Backgrounds: random texts of the same length that a text is compared with. Letters: B rows, T tokens, E embedding size. */
import { z } from 'zod'
import { AppError, throwIfCancelled } from '../../../errors.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import { answered } from '../../shared/batches.ts'
import { randomStream } from '../../shared/random.ts'
import { tapIn } from '../../shared/reading.ts'

export const backgroundField = z.enum(['vocabulary', 'own-words']).default('vocabulary').meta({
  title: 'Background',
  description:
    'The texts that this one is compared with. vocabulary: tokens drawn from all the model knows, each as probable. own-words: its own tokens, drawn with replacement, so that what counts is where they stand.',
})
type Background = z.infer<typeof backgroundField>

/**
 * Draws the token ids of one background text; special tokens stay where they are.
 * @throws AppError BAD_PARAMETER where nobody knows how many tokens there are
 */
export function drawer(context: TextContext, background: Background): (row: number) => number[] {
  const { tokenIds, special, vocabulary, seed } = context
  const words = tokenIds.filter((_, at) => special[at] !== true)
  const { size } = vocabulary
  const { pad, mask, unknown } = vocabulary
  const reserved = new Set([pad, mask, unknown, ...tokenIds.filter((_, at) => special[at] === true)])
  if (background === 'vocabulary' && (size === undefined || size <= reserved.size))
    throw new AppError({
      code: 'BAD_PARAMETER',
      message: `This model's tokenizer names ${size ?? 'no'} tokens to draw from. Choose the background own-words.`,
      details: { value: background },
    })
  return (row) => {
    const stream = randomStream(seed, 'background', row)
    const ordinary = (): number => {
      for (;;) {
        const id = stream.integer(size ?? 1)
        if (!reserved.has(id)) return id
      }
    }
    const one = background === 'vocabulary' ? ordinary : () => stream.choice(words)
    return tokenIds.map((id, at) => (special[at] === true ? id : one()))
  }
}

/** The embeddings of texts given as ids, [B, T, E]: only the look-up is computed. */
export async function lookUp(context: TextContext, rows: readonly number[][]): Promise<FloatTensor> {
  const { id } = tapIn(context)
  throwIfCancelled(context.signal)
  const { values } = await context.model.ask({ feeds: context.feedsFor(rows).feeds, read: [id] }, context.signal)
  return answered(values, id)
}
