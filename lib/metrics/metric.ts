/**
 * What a metric is: it describes itself as a method does, says in which direction better lies, and judges one attribution of
 * one input. Adding a metric is one file and one line in `index.ts`.
 */
import type { ImageContext, TextContext } from '../methods/context.ts'
import type { Description } from '../methods/description.ts'
import type { TapId } from '../engine/tap-id.ts'
import type { Diagnosis } from '../methods/diagnosis.ts'
import type { Method } from '../methods/method.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

/** How a model's answer changes along a perturbation. */
interface Curve {
  /** Share of the input that is perturbed, 0..1, rising. */
  readonly share: readonly number[]
  /** The explained number there, as many. */
  readonly value: readonly number[]
}

export interface MetricResult {
  readonly value: number
  /** Where the value is made of one. */
  readonly curve: Curve | null
  readonly diagnoses: readonly Diagnosis[]
}

/** What a metric judges. */
interface Judged<Context> {
  /** Raw and signed: [H, W] over the whole feed at its own resolution, or [T]. */
  readonly attribution: FloatTensor
  /** What the same method says, with the same parameters, in another context: of a neighbour of the input, of another class. */
  readonly again: (context: Context) => Promise<FloatTensor>
  /** What made it: signed or not, complete or not, at which layer. */
  readonly output: Method['output']
  readonly layer: TapId | null
}

interface MetricDescription<P> extends Description<P> {
  /** The direction in which better explanations lie. */
  readonly better: 'higher' | 'lower'
}
export interface ImageMetric<P = unknown> extends MetricDescription<P> {
  readonly modality: 'image'
  run(context: ImageContext & Judged<ImageContext>, params: P): Promise<MetricResult>
}
export interface TextMetric<P = unknown> extends MetricDescription<P> {
  readonly modality: 'text'
  run(context: TextContext & Judged<TextContext>, params: P): Promise<MetricResult>
}
export type Metric = ImageMetric | TextMetric

/** Types a metric by its own parameters, then erases them for the list. */
export function imageMetric<P>(metric: ImageMetric<P>): ImageMetric {
  return metric
}
export function textMetric<P>(metric: TextMetric<P>): TextMetric {
  return metric
}
