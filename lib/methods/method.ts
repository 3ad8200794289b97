/**
 * What an attribution method is: one object that describes itself and can be run. Adding a method is one file and one line
 * in `index.ts`.
 */
import type { TapId } from '../engine/tap-id.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { ImageContext, TextContext } from './context.ts'
import type { Description } from './description.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { Reading } from './shared/reading.ts'

export interface ImageResult {
  readonly kind: 'image'
  /** Signed, unrectified, at the tap's own resolution: [H, W]. */
  readonly map: FloatTensor
  readonly layer: TapId | null
  /** Logits of the explained input, [K]. */
  readonly logits: FloatTensor
  /** Of a method that promises it, or whose scores would add up if it were asked long enough. */
  readonly completeness?: Completeness
  readonly diagnoses: readonly Diagnosis[]
}

/** Completeness (Sundararajan 2017, proposition 1): the scores must add up to F(x) - F(baseline). */
export interface Completeness {
  readonly sum: number
  readonly expected: number
  /** |sum - expected| / |expected| */
  readonly error: number
  /** Gradients evaluated, or predictions by a method that reads none. */
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

/** How a method finds what counts: what the forms group methods by, in this order. */
export const FAMILIES = ['CAM', 'gradient', 'relevance', 'perturbation', 'attention', 'concepts'] as const
/** `retired` stands for what made a stored run and is there no more. */
type Family = (typeof FAMILIES)[number] | 'retired'

interface MethodDescription<P> extends Description<P> {
  readonly family: Family
  readonly output: {
    readonly kind: 'map' | 'tokens'
    readonly signed: boolean
    readonly complete: boolean
    /** The same whatever class is asked for. */
    readonly classAgnostic?: true
  }
}

// P is erased in the list: `run` is only ever called with what the method's own `params` schema parsed.
export interface ImageMethod<P = unknown> extends MethodDescription<P> {
  readonly modality: 'image'
  /** For a method that reads a gradient once: what it reads in a context. Wrappers take any method that has it. */
  reading?(context: ImageContext, params: P): Reading
  run(context: ImageContext, params: P): Promise<ImageResult>
}
export interface TextMethod<P = unknown> extends MethodDescription<P> {
  readonly modality: 'text'
  /** For a method that reads a gradient once: what it reads in a context. Wrappers take any method that has it. */
  reading?(context: TextContext, params: P): Reading
  run(context: TextContext, params: P): Promise<TextResult>
}
export type Method = ImageMethod | TextMethod

/** Types a method by its own parameters, then erases them for the list. */
export function imageMethod<P>(method: ImageMethod<P>): ImageMethod {
  return method
}
export function textMethod<P>(method: TextMethod<P>): TextMethod {
  return method
}
