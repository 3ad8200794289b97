/**
 * What an attribution method is: one object that describes itself and can be run. The API, the stored runs, the forms in
 * the UI and the docs table follow from the description; adding a method is one file and one line in `index.ts`.
 */
import type { z } from 'zod'
import type { ExplainableModel, TapId } from '../engine/model.ts'
import type { FloatTensor, Tensor } from '../tensor/tensor.ts'

export type Modality = 'image' | 'text'

/** A sentence about a result that its reader must know. Never an exception: the result stands. */
export interface Diagnosis {
  readonly code:
    | 'ALL_NEGATIVE' // no evidence for this class anywhere on the map
    | 'ZERO_GRADIENT'
    | 'CONSTANT_MAP'
    | 'SOFTMAX_SATURATED' // probability ~ 0 or 1; the logit is used
    | 'COMPLETENESS' // completeness error above the bound
    | 'INPUT_TRUNCATED'
    | 'INPUT_CONVERTED' // animated, CMYK, 16-bit or transparent picture: what was done
    | 'UNKNOWN_TOKENS' // the tokenizer knows no word for some characters
    | 'ENGINE' // which backend and why, where that is a surprise
  readonly severity: 'info' | 'warning'
  readonly message: string
}

/** What a method needs of the model; checked before a run is accepted. */
export type Need = 'gradient' | 'spatial-tap' | 'linear-head' | 'embedding-tap'

export interface Target {
  /** Index of the explained class among the model's labels. */
  readonly index: number
}

export interface RunContext {
  readonly model: ExplainableModel
  readonly target: Target
  /** Seeds every random choice; same seed, same bytes. */
  readonly seed: number
  readonly signal: AbortSignal
  /** Share done, 0..1. */
  progress(fraction: number): void
}

export interface ImageContext extends RunContext {
  readonly modality: 'image'
  /** [1, 3, H, W], preprocessed, under the model's input name. */
  readonly feeds: Readonly<Record<string, Tensor>>
}

export interface TextContext extends RunContext {
  readonly modality: 'text'
  /** The encoded text, under the model's input names. */
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Token ids with the special tokens, [T]. */
  readonly tokenIds: readonly number[]
  /** True where a token is special ([CLS], [SEP]). */
  readonly special: readonly boolean[]
  readonly vocabulary: { readonly pad: number | null; readonly mask: number | null; readonly unknown: number | null }
}

export interface ImageResult {
  readonly kind: 'image'
  /** Signed, unrectified, at the tap's own resolution: [H, W]. */
  readonly map: FloatTensor
  readonly layer: TapId | null
  /** Logits of the explained input, [K]. */
  readonly logits: FloatTensor
  readonly diagnoses: readonly Diagnosis[]
}

/** Completeness (Sundararajan 2017, proposition 1): the scores must add up to F(x) - F(baseline). */
export interface Completeness {
  readonly sum: number
  readonly expected: number
  /** |sum - expected| / |expected| */
  readonly error: number
  /** Number of gradients evaluated. */
  readonly points: number
}

export interface TextResult {
  readonly kind: 'text'
  /** One score a token, special tokens included, [T]. */
  readonly scores: FloatTensor
  /** How subword scores become word scores. */
  readonly wordReduction: 'sum' | 'absolute-max'
  readonly logits: FloatTensor
  readonly completeness: Completeness | null
  readonly diagnoses: readonly Diagnosis[]
}

interface MethodDescription<P> {
  readonly id: string
  /** Rises when its numbers change. */
  readonly version: number
  readonly family: string
  readonly title: string
  readonly summary: string
  readonly paper: {
    readonly title: string
    readonly authors: string
    readonly year: number
    readonly url: string
  } | null
  readonly needs: readonly Need[]
  /** A strict object; `.meta({ title, description })` on each field becomes the form in the UI. */
  readonly params: z.ZodType<P>
  readonly output: { readonly kind: 'map' | 'tokens'; readonly signed: boolean; readonly complete: boolean }
  /** Cost in units of one forward pass, an upper bound, for the estimate and the limit. */
  cost(params: P): number
}

// P is erased in the list: `run` is only ever called with what the method's own `params` schema parsed.
export interface ImageMethod<P = unknown> extends MethodDescription<P> {
  readonly modality: 'image'
  run(context: ImageContext, params: P): Promise<ImageResult>
}
export interface TextMethod<P = unknown> extends MethodDescription<P> {
  readonly modality: 'text'
  run(context: TextContext, params: P): Promise<TextResult>
}
export type Method = ImageMethod | TextMethod

/** Types a method by its own parameters, then erases them for the list. */
export function imageMethod<P>(method: ImageMethod<P>): ImageMethod {
  return method as ImageMethod
}
export function textMethod<P>(method: TextMethod<P>): TextMethod {
  return method as TextMethod
}
