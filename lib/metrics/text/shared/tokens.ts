/**
 * Texts as token ids of which some are gone: never decoded and cut anew, so that what is asked about is what was deleted.
 * Special tokens stay where they are and have no part in any ranking.
 */
import type { TextContext } from '../../../methods/context.ts'
import { scalarsOfTexts } from '../../../methods/text/shared/hiding.ts'
import type { Target } from '../../../target/target.ts'
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

/**
 * The number followed of other texts, given as token ids.
 * @param whole that of the text itself
 */
export async function valuesOfTexts(
  context: TextContext,
  { target, whole }: { readonly target: Target; readonly whole: number },
  texts: readonly (readonly number[])[],
): Promise<readonly number[]> {
  const rows = { total: texts.length, idsOf: (text: number) => texts[text] ?? [], whole }
  return Array.from(await scalarsOfTexts({ ...context, target }, rows, context.progress))
}
