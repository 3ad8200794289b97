/** What a method or metric needs of a model. */
import type { Modality } from '../models/card.ts'

/** A kind of tensor in a model, where something can be asked. */
export type Place =
  | 'input' // the preprocessed picture
  | 'spatial-tap' // [N, C, H, W] with H * W > 1
  | 'linear-head' // a spatial tap with global average pooling and one linear layer behind it, and nothing else
  | 'embedding' // word embeddings, [N, T, E]
  | 'token-grid' // tokens that lie on a grid over the picture, [N, T, E]
  | 'attention' // weights of self-attention, [N, heads, T, T]: one tap a layer, in order

export interface Need {
  readonly place: Place
  /** A gradient of the target must reach it. */
  readonly gradient?: boolean
  /** Of attention: that there is none between two sequences beside it, as in an encoder with a decoder. */
  readonly alone?: boolean
  /** Bent by this rule set (`model.ruleSets`). */
  readonly rules?: string
}

/** The part of a method's description that decides where it can be asked. */
export interface NeedsPlace {
  readonly id: string
  readonly title: string
  readonly modality: Modality
  /** The first one is where the method is asked: its layer. */
  readonly needs: readonly Need[]
  /** Another one that it asks, as its (parsed) parameters say: what that needs, it needs too. */
  readonly wraps?: (params: unknown) => NeedsPlace
}
