/** What a card is made from, and what the making of one answers. Plain data: nothing here reads a file. */
import { AppError } from '../../errors.ts'
import type { ModelCard } from '../card.ts'

/** What an ONNX file states of itself; null where it leaves it open. */
export interface GraphFacts {
  /** Of the first input. */
  readonly input: readonly (number | null)[]
  /** Extent of the last axis of the first output. */
  readonly classes: number | null
}

export interface CardSources {
  /** The card's id: lower case, digits, hyphens. */
  readonly id: string
  readonly title: string
  /** Where it comes from, for the card's provenance: `org/name at <commit>`, or a folder's name. */
  readonly source: string
  readonly license?: string
  /** Paths within the model's folder. */
  readonly onnx: string
  readonly tokenizer: string | null
  readonly graph: GraphFacts | null
  /** Parsed JSON files by name; left out where there are none. */
  readonly config?: unknown
  readonly preprocessor?: unknown
  readonly tokenizerConfig?: unknown
  readonly tokenizerJson?: unknown
}

/** A field of the card that no file states. */
export interface Guess {
  /** As in the card: `preprocessing.mean`. */
  readonly field: string
  /** What stands there now, for people. */
  readonly assumed: string
  /** Why it had to be guessed. */
  readonly why: string
}

export interface MadeCard {
  readonly card: ModelCard
  readonly guesses: readonly Guess[]
}

/** A model that no card can be made for. @param message one sentence or two for people: what was found, what to do */
export function notForLimelight(message: string): AppError {
  return new AppError({ code: 'BAD_MODEL', message })
}
