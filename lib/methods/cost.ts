/** What is known of a question's cost before it is asked. */
import type { Tap } from '../engine/model.ts'
import type { ModelCard } from '../models/card.ts'
import type { CostFacts } from './description.ts'

/** [CLS], [SEP] and their like around a text. */
const SPECIAL_TOKENS = 4

/**
 * Facts about a model and an input that has not been encoded yet: a text has at most a token a character.
 * @param tap where the method is asked
 * @param text null for a picture
 */
export function costFacts({ preprocessing, labels }: ModelCard, tap: Tap | null, text: string | null): CostFacts {
  const tokens =
    preprocessing.kind === 'text' && text !== null
      ? Math.min(preprocessing.maxTokens, Array.from(text).length + SPECIAL_TOKENS)
      : 0
  const pixels = preprocessing.kind === 'image' ? preprocessing.width * preprocessing.height : 0
  const sides = preprocessing.kind === 'image' ? { sides: [preprocessing.height, preprocessing.width] as const } : {}
  return { tap, classes: labels.length, tokens, pixels, ...sides }
}
