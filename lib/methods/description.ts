/**
 * How methods, metrics and generators describe themselves. The API, the stored runs, the forms in the UI and the docs table
 * follow from the description.
 */
import type { z } from 'zod'
import type { Tap } from '../engine/model.ts'
import type { NeedsPlace } from './need.ts'

interface Paper {
  readonly title: string
  readonly authors: string
  readonly year: number
  readonly url: string
}

/** What is known of a question before it is asked; each an upper bound where the input has not been encoded yet. */
export interface CostFacts {
  /** Where the method is asked; null for one that needs no place, or where that is not known. */
  readonly tap: Tap | null
  /** Number of classes. */
  readonly classes: number
  /** Tokens of the text, special ones included, and so at least its words; 0 for a picture. */
  readonly tokens: number
  /** Pixels of the model's input; 0 for a text. */
  readonly pixels: number
  /** Of the model's input, [H, W]; left out where it is not known, or for a text. */
  readonly sides?: readonly [number, number]
}

export interface Description<P> extends NeedsPlace {
  /** Unique among those of its modality. */
  readonly id: string
  /** Rises when its numbers change. */
  readonly version: number
  readonly summary: string
  /** For a researcher, a paragraph: what the numbers are and how to read them. */
  readonly meaning: string
  /** For a researcher, a paragraph: when they mislead, and what to look at instead. */
  readonly misleads: string
  readonly paper: Paper | null
  /** A strict object; `.meta({ title, description })` on each field becomes the form in the UI. */
  readonly params: z.ZodType<P>
  /** Cost in units of one forward pass of this input, an upper bound, for the estimate and the limit. */
  cost(params: P, facts: CostFacts): number
}

/** Channels of the layer a method is asked at, or `unknown` where the graph leaves them open. */
export function channelsOf({ tap }: CostFacts, unknown: number): number {
  const [, channels] = tap?.shape ?? []
  return channels ?? unknown
}
