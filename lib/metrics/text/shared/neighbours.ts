/** Neighbours of a text: some of its tokens replaced by the mask token, or by the unknown one where there is no mask. */
import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import { embedIds } from '../../../methods/text/shared/embedding.ts'
import { randomStream } from '../../../methods/shared/random.ts'
import type { JudgedText } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { distance, type Move } from '../../shared/stability.ts'
import { wordTokens } from './tokens.ts'

export const neighbourParams = z.strictObject({
  samples: z.int().min(1).max(1000).default(10).meta({
    title: 'Samples',
    description: 'How many neighbours are explained; the largest change of them is told, so more of them find more.',
  }),
  replaced: z.int().min(1).max(16).default(1).meta({
    title: 'Replaced',
    description: 'How many tokens of a neighbour are replaced by the mask token.',
  }),
})
export type NeighbourParams = z.infer<typeof neighbourParams>

function stranger({ vocabulary: { mask, unknown } }: JudgedText): number {
  const id = mask ?? unknown
  if (id !== null) return id
  throw new AppError({
    code: 'METHOD_UNAVAILABLE',
    message: 'This model’s tokenizer has neither a mask nor an unknown token, so a text has no neighbours here.',
  })
}

/**
 * Explains each neighbour with the same method, for the same class. Attributions are compared at the tokens that both have;
 * inputs by their word embeddings, at the context's tap.
 */
export async function movesAround(context: JudgedText, { samples, replaced }: NeighbourParams): Promise<Move[]> {
  const { target } = await followed(context, false)
  const id = stranger(context)
  const words = wordTokens(context)
  const here = context.tap === null ? null : await embedIds(context, context.tokenIds)
  const moves: Move[] = []
  for (let sample = 0; sample < samples; sample += 1) {
    const { permutation } = randomStream(context.seed, 'neighbour', sample)
    const gone = new Set(permutation(words.length, Math.min(replaced, words.length)).map((at) => words[at]))
    const tokenIds = context.tokenIds.map((own, token) => (gone.has(token) ? id : own))
    const scores = await context.again({ ...context, target, tokenIds, feeds: context.feedsFor([tokenIds]).feeds })
    const same = words.filter((token) => !gone.has(token))
    const there = here === null ? null : await embedIds(context, tokenIds)
    moves.push({
      input: here === null || there === null ? gone.size : distance(here, there),
      attribution: distance(scores, context.attribution, same),
    })
    context.progress((sample + 1) / samples)
  }
  return moves
}
