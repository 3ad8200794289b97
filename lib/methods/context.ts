/**
 * What a method or metric is given: the model, what is explained of it, and the input in terms of both the model's feeds and
 * the picture or text that a person sees.
 *
 * Letters: C channels, H x W extent of the model's input, T tokens, K classes.
 */
import type { ExplainableModel, Tap } from '../engine/model.ts'
import type { PictureUnits } from '../image/units.ts'
import type { ModelFacts } from '../models/facts.ts'
import type { Head } from '../target/scalar.ts'
import type { Target } from '../target/target.ts'
import type { FloatTensor, Tensor } from '../tensor/tensor.ts'
import type { InputRoles, TextFeeds } from '../text/feeds.ts'
import type { TokenSpan } from '../text/spans.ts'
import type { ReadAhead } from './shared/reading.ts'

export interface RunContext {
  readonly model: ExplainableModel
  readonly facts: ModelFacts
  readonly head: Head
  /** May leave the class to the model (the predicted one): `settled` fills it in where several inputs are asked. */
  readonly target: Target
  /** Where the method is asked, by its first need and its `layer` parameter; null for one that needs no place. */
  readonly tap: Tap | null
  /** Seeds every random choice; same seed, same bytes. */
  readonly seed: number
  readonly signal: AbortSignal
  /** Share done, 0..1. */
  readonly progress: (fraction: number) => void
  /** What one question has read for this layer and target among others: `readOnce` need not ask again. */
  readonly readAhead?: ReadAhead
}

export interface ImageContext extends RunContext {
  readonly modality: 'image'
  /** The preprocessed picture, [1, C, H, W], under the model's input name. */
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly picture: FloatTensor
  readonly input: string
  /** What black, a colour, a blur and the range of values are, in the feed. */
  readonly units: PictureUnits
}

/** A run of neighbouring tokens: positions among the encoded ones. */
export type TokenGroup = readonly number[]

export interface Vocabulary {
  /** How many tokens there are: ids are below it. Left out where that is not known. */
  readonly size?: number
  readonly pad: number | null
  readonly mask: number | null
  readonly unknown: number | null
}

export interface TextContext extends RunContext {
  readonly modality: 'text'
  /** The encoded text, under the model's input names. */
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Token ids with the special tokens, [T]. */
  readonly tokenIds: readonly number[]
  /** True where a token is special ([CLS], [SEP]). */
  readonly special: readonly boolean[]
  readonly vocabulary: Vocabulary
  /** The text as a person typed it. */
  readonly text: string
  /** Where each token is in it, in Unicode code points, [T]. */
  readonly tokens: readonly TokenSpan[]
  /** Tokens by word and by sentence, in order; special tokens are in none. */
  readonly words: () => readonly TokenGroup[]
  readonly sentences: () => readonly TokenGroup[]
  /** Feeds for other texts given as token ids (special ones included), a row each. */
  readonly feedsFor: (rows: readonly (readonly number[])[]) => TextFeeds
  /** Which of the model's inputs holds what: token ids, mask, token types, positions. */
  readonly roles: InputRoles
}
