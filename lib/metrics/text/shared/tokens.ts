/**
 * Texts as token ids of which some are gone: never decoded and cut anew, so that what is asked about is what was deleted.
 * Special tokens stay where they are and have no part in any ranking.
 */
import type { TextContext } from '../../../methods/context.ts'
import { answered, answersInBatches } from '../../../methods/shared/batches.ts'
import { scalarReader } from '../../../target/scalar.ts'
import type { Target } from '../../../target/target.ts'
import { row } from '../../../tensor/tensor.ts'
import type { JudgedText } from '../../metric.ts'
import { byFallingScore } from '../../shared/ranking.ts'

/** Positions of the tokens that are words or parts of them. */
export function wordTokens({ special }: Pick<TextContext, 'special'>): readonly number[] {
  return special.flatMap((one, token) => (one ? [] : [token]))
}

/** Scores of those tokens, in the order of the text. */
export function wordScores(context: Pick<JudgedText, 'special' | 'attribution'>): readonly number[] {
  return wordTokens(context).map((token) => context.attribution.data[token] ?? Number.NaN)
}

/** Positions of those tokens by falling score; ties by position. */
export function ranked(context: Pick<JudgedText, 'special' | 'attribution'>): readonly number[] {
  const tokens = wordTokens(context)
  return Array.from(byFallingScore(wordScores(context)), (at) => tokens[at] ?? -1)
}

/** Ids of the text without some of its tokens. */
export function without({ tokenIds }: Pick<TextContext, 'tokenIds'>, gone: Iterable<number>): number[] {
  const left = new Set(gone)
  return tokenIds.filter((_, token) => !left.has(token))
}

/** Ids of the text with the special tokens and these. */
export function keeping(
  { tokenIds, special }: Pick<TextContext, 'tokenIds' | 'special'>,
  kept: Iterable<number>,
): number[] {
  const stay = new Set(kept)
  return tokenIds.filter((_, token) => special[token] === true || stay.has(token))
}

/** Tokens that a question may hold in all its rows. */
const TOKENS_AT_ONCE = 2048

/** The number followed of other texts, given as token ids. */
export async function scalarsOfTexts(
  context: TextContext,
  target: Target,
  texts: readonly (readonly number[])[],
): Promise<readonly number[]> {
  const { head } = context
  const read = scalarReader(target, head)
  const longest = texts.reduce((most, ids) => Math.max(most, ids.length), 1)
  const rows = { total: texts.length, perQuestion: Math.max(1, Math.min(16, Math.floor(TOKENS_AT_ONCE / longest))) }
  const scalars: number[] = []
  const batches = answersInBatches(context, rows, ({ first, count }) => ({
    feeds: context.feedsFor(texts.slice(first, first + count)).feeds,
    read: [head.logits],
  }))
  for await (const { answer, count } of batches)
    for (let at = 0; at < count; at += 1) scalars.push(read(row(answered(answer.values, head.logits), at).data))
  return scalars
}
