/**
 * Baselines: what "no word here" is, as an embedding [T, E].
 *
 * Special tokens ([CLS], [SEP]) belong to every input of the model and carry no word, so by default they are the same in
 * the baseline and score exactly 0, as in Captum's BERT tutorials. `replace` treats them like words. Padding behind the text,
 * in a model that reads a fixed length, is the same in every baseline.
 *
 * The default is [MASK]: the encoder met it in training as "a word that is not shown", and on ten sample reviews the
 * bundled model scores a text of masks nearest to indifferent (log-odds 0.03 to 0.14; [PAD] 0.7 to 1.2, zero 0.4 to 1.2,
 * mean -1.5 to 1.4). A baseline that leans to a side hides that much evidence.
 */
import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import { embedIds } from './embedding.ts'

const SINGLE = ['mask', 'pad', 'zero', 'mean'] as const
type Single = (typeof SINGLE)[number]

export const baselineParam = z
  .enum([...SINGLE, 'several'])
  .default('mask')
  .meta({
    title: 'Baseline',
    description:
      'What stands for \u201cno word here\u201d. mask: the mask token. pad: the padding token. zero: a vector of zeros. ' +
      'mean: the average of this text\u2019s own tokens. several: the average over pad, mask and zero, at three times the cost.',
  })
export const specialTokensParam = z.enum(['keep', 'replace']).default('keep').meta({
  title: 'Special tokens',
  description:
    'keep: [CLS] and [SEP] are the same in the baseline, so they score 0. replace: they are replaced as words are.',
})

export interface Baseline {
  readonly name: Single
  /** [T, E] */
  readonly embedding: FloatTensor
}

/**
 * The baselines that a choice stands for.
 * @param embedding of the text, [T, E].
 * @throws AppError BAD_PARAMETER where the tokenizer has no such token.
 */
export async function baselines(
  context: TextContext,
  embedding: FloatTensor,
  choice: Single | 'several',
  specialTokens: 'keep' | 'replace',
): Promise<readonly Baseline[]> {
  const { pad, mask } = context.vocabulary
  const names: readonly Single[] =
    choice !== 'several'
      ? [choice]
      : [...(pad === null ? [] : ['pad' as const]), ...(mask === null ? [] : ['mask' as const]), 'zero']
  const made: Baseline[] = []
  for (const name of names) {
    const raw = await rawBaseline(context, embedding, name)
    made.push({ name, embedding: keptAt(context, raw, embedding, specialTokens) })
  }
  return made
}

async function rawBaseline(context: TextContext, embedding: FloatTensor, name: Single): Promise<FloatTensor> {
  const [tokens = 0, size = 0] = embedding.dims
  if (name === 'zero') return float32(new Float32Array(tokens * size), [tokens, size])
  if (name === 'mean') return everywhere(meanRow(context, embedding), tokens, size)
  const id = context.vocabulary[name]
  if (id === null)
    throw new AppError({
      code: 'BAD_PARAMETER',
      message: `This model's tokenizer has no ${name} token. Choose another one, such as zero.`,
      details: { value: name },
    })
  return embedIds(
    context,
    context.tokenIds.map(() => id),
  )
}

/** The mean over the tokens that are not special, or over all where there are no others. [E] */
function meanRow(context: TextContext, { data, dims }: FloatTensor): Float64Array {
  const [, size = 0] = dims
  const words = context.special.flatMap((special, token) => (special ? [] : [token]))
  const counted = words.length > 0 ? words : context.special.map((_, token) => token)
  const mean = new Float64Array(size)
  for (const token of counted)
    for (let feature = 0; feature < size; feature += 1)
      mean[feature] = (mean[feature] ?? 0) + (data[token * size + feature] ?? 0) / counted.length
  return mean
}

function everywhere(row: Float64Array, tokens: number, size: number): FloatTensor {
  const data = new Float32Array(tokens * size)
  for (let token = 0; token < tokens; token += 1) data.set(row, token * size)
  return float32(data, [tokens, size])
}

function keptAt(
  { special }: TextContext,
  baseline: FloatTensor,
  embedding: FloatTensor,
  specialTokens: 'keep' | 'replace',
): FloatTensor {
  const [tokens = 0, size = 0] = embedding.dims
  const data = baseline.data.slice()
  for (let token = 0; token < tokens; token += 1) {
    const isPadding = token >= special.length
    if (isPadding || (special[token] === true && specialTokens === 'keep'))
      data.set(embedding.data.subarray(token * size, (token + 1) * size), token * size)
  }
  return float32(data, embedding.dims)
}
