/**
 * Texts with parts hidden: as token ids, not as characters, so that what stays is tokenised as it was. Letters: N texts, T tokens,
 * M words.
 */
import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import { scalarReader } from '../../../target/scalar.ts'
import { row } from '../../../tensor/tensor.ts'
import type { TextContext, TokenGroup } from '../../context.ts'
import { answered, answersInBatches } from '../../shared/batches.ts'
import type { Game } from '../../shared/coalitions.ts'
import { batchSize } from './embedding.ts'

const HIDINGS = ['mask', 'pad', 'delete'] as const
export type Hiding = (typeof HIDINGS)[number]

/** @param usual of the method */
export const hidingParam = (usual: Hiding) =>
  z.enum(HIDINGS).default(usual).meta({
    title: 'Hiding',
    description:
      'How a word is hidden. mask: its tokens become the mask token. pad: the padding token. delete: they are taken out, and the text is shorter.',
  })

/**
 * The text without some of its tokens.
 * @throws AppError BAD_PARAMETER where the tokenizer has no such token
 */
export function textWithout(
  { tokenIds, vocabulary }: TextContext,
  hiding: Hiding,
): (gone: ReadonlySet<number>) => readonly number[] {
  if (hiding === 'delete')
    return (gone) => {
      const left = tokenIds.filter((_, token) => !gone.has(token))
      // No model reads a text of no tokens at all.
      return left.length > 0 ? left : [vocabulary.pad ?? vocabulary.unknown ?? 0]
    }
  const id = vocabulary[hiding]
  if (id === null)
    throw new AppError({
      code: 'BAD_PARAMETER',
      message: `This model's tokenizer has no ${hiding} token. Choose another way of hiding, such as delete.`,
      details: { value: hiding },
    })
  return (gone) => tokenIds.map((own, token) => (gone.has(token) ? id : own))
}

/** Who asks about texts: a context with a settled target. */
type AskingTexts = Pick<TextContext, 'model' | 'head' | 'target' | 'signal' | 'feedsFor' | 'roles' | 'tokenIds'>

export interface Texts {
  readonly total: number
  /** Made when it is the text's turn, and once before. */
  readonly idsOf: (text: number) => readonly number[]
  /** The scalar of the text itself, which is not asked again. */
  readonly whole: number
}

/**
 * The target's scalar of each text, [N], in double precision. Equal texts are asked once; only texts of one length share a
 * question, so that no padding is computed and no answer depends on what is asked beside it.
 */
export async function scalarsOfTexts(
  asking: AskingTexts,
  { total, idsOf, whole }: Texts,
  progress: (share: number) => void,
): Promise<Float64Array> {
  const { head, target, roles, tokenIds } = asking
  const firstOf = new Map<string, number>()
  const byLength = new Map<number, number[]>()
  const itself = tokenIds.join()
  const same = Array.from({ length: total }, (_, text) => {
    const ids = idsOf(text)
    const key = ids.join()
    const first = firstOf.get(key)
    if (first !== undefined) return first
    firstOf.set(key, text)
    if (key !== itself) byLength.set(ids.length, [...(byLength.get(ids.length) ?? []), text])
    return text
  })
  const scalar = scalarReader(target, head)
  const scalars = new Float64Array(total).fill(whole)
  const distinct = [...byLength.values()].reduce((sum, texts) => sum + texts.length, 0)
  let done = 0
  for (const [length, texts] of [...byLength].sort(([a], [b]) => b - a)) {
    const shared = { ...asking, progress: (share: number) => progress((done + share * texts.length) / distinct) }
    const rows = { total: texts.length, perQuestion: batchSize(roles.length ?? length) }
    const answers = answersInBatches(shared, rows, ({ first, count }) => ({
      feeds: asking.feedsFor(texts.slice(first, first + count).map(idsOf)).feeds,
      read: [head.logits],
    }))
    for await (const { answer, first, count } of answers) {
      const logits = answered(answer.values, head.logits) // [B, K]
      for (let at = 0; at < count; at += 1) scalars[texts[first + at] as number] = scalar(row(logits, at).data)
    }
    done += texts.length
  }
  if (distinct === 0) progress(1)
  return Float64Array.from(same, (first) => scalars[first] as number)
}

/** The text as a game: its words, or other groups of tokens, are players. @param whole the scalar of the text itself */
export function wordGame(context: TextContext, words: readonly TokenGroup[], hiding: Hiding, whole: number): Game {
  const without = textWithout(context, hiding)
  return {
    players: words.length,
    worths: (coalitions, progress) =>
      scalarsOfTexts(
        context,
        {
          total: coalitions.length,
          idsOf: (text) =>
            without(new Set(words.flatMap((tokens, word) => (coalitions[text]?.[word] === 1 ? [] : tokens)))),
          whole,
        },
        progress,
      ),
  }
}
