/** A text method that asks about the text with words hidden, and gives each word a number. Letters: T tokens, M words. */
import type { z } from 'zod'
import { scalarOf, settled } from '../../../target/scalar.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext, TokenGroup } from '../../context.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import { textMethod, type TextMethod } from '../../method.ts'
import { completenessOf } from '../../shared/completeness.ts'
import type { Game } from '../../shared/coalitions.ts'
import { saturation } from '../../shared/diagnoses.ts'
import { logitsOf } from '../../shared/logits.ts'
import { wordGame, type Hiding } from './hiding.ts'
import { withScalar, type Scalar } from './scalar-param.ts'

interface WordParams {
  readonly hiding: Hiding
  readonly scalar: Scalar
}

interface Played {
  /** One a word, [M]. */
  readonly values: readonly number[]
  /** Of a method whose values add up to the text's score less it: the score of a text of nothing. */
  readonly empty?: number
  /** Predictions that were asked for. */
  readonly asked: number
  readonly diagnoses: readonly Diagnosis[]
}

interface Playing {
  readonly context: TextContext
  readonly words: readonly TokenGroup[]
  readonly game: Game
  /** The score of the text itself. */
  readonly whole: number
}

interface WordMethod<P> extends Omit<TextMethod<P>, 'modality' | 'family' | 'needs' | 'output' | 'run' | 'reading'> {
  readonly params: z.ZodType<P>
  readonly complete: boolean
  /** Of a text with one word at least. */
  readonly play: (playing: Playing, params: P) => Promise<Played>
}

/** Special tokens are never hidden and score 0; a word's number is shared evenly by its tokens, so that they add up to it. */
export function wordMethod<P extends WordParams>({ complete, play, ...description }: WordMethod<P>): TextMethod {
  return textMethod<P>({
    ...description,
    modality: 'text',
    family: 'perturbation',
    needs: [],
    output: { kind: 'tokens', signed: true, complete },
    async run(context, params) {
      const words = context.words()
      const logits = await logitsOf(context)
      const target = settled(withScalar(context.target, params.scalar), logits.data)
      const whole = scalarOf(target, logits.data, context.head.link)
      const asking = { ...context, target }
      const played: Played =
        words.length === 0
          ? { values: [], empty: whole, asked: 0, diagnoses: [] }
          : await play({ context: asking, words, whole, game: wordGame(asking, words, params.hiding, whole) }, params)
      context.progress(1)
      const scores = sharedByTokens(context, words, played.values)
      return {
        kind: 'text',
        scores,
        wordReduction: 'sum',
        logits,
        completeness:
          !complete || played.empty === undefined
            ? null
            : completenessOf(
                scores.data.reduce((sum, one) => sum + one, 0),
                { input: whole, baseline: played.empty },
                played.asked,
              ),
        diagnoses: [...saturation('text', logits.data, target, context.head.link), ...played.diagnoses],
      }
    },
  })
}

function sharedByTokens(
  { tokenIds }: TextContext,
  words: readonly TokenGroup[],
  values: readonly number[],
): FloatTensor {
  const scores = new Float32Array(tokenIds.length)
  words.forEach((tokens, word) => {
    for (const token of tokens) scores[token] = (values[word] ?? Number.NaN) / tokens.length
  })
  return float32(scores, [tokenIds.length])
}
