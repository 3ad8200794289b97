/**
 * What a metric is: it describes itself as a method does, says in which direction better lies, and judges one attribution of
 * one input. Adding a metric is one file and one line in `index.ts`.
 */
import type { CostFacts, Description } from '../methods/description.ts'
import type { ImageContext, TextContext } from '../methods/context.ts'
import type { TapId } from '../engine/tap-id.ts'
import type { Diagnosis } from '../methods/diagnosis.ts'
import type { Method } from '../methods/method.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { Interval } from './shared/statistics.ts'

/** What a metric asks: does the attribution follow the model, is it stable, does it depend on the model, is it where a person looks, is it short. */
export const METRIC_FAMILIES = [
  'faithfulness',
  'robustness',
  'sanity',
  'localisation',
  'plausibility',
  'complexity',
] as const
export type MetricFamily = (typeof METRIC_FAMILIES)[number]

/** What the value is made of, along one axis: how the model answers while more and more of the input is perturbed. */
export interface Curve {
  /** Share of the input, 0..1, rising. */
  readonly share: readonly number[]
  /** What was measured there, as many: the explained probability, unless the metric says otherwise. */
  readonly value: readonly number[]
}

export interface MetricResult {
  /** null where it is not defined for this attribution; a diagnosis says why. */
  readonly value: number | null
  /** 95 % interval of a mean over what the metric draws at random; null where it draws nothing, or tells the largest of it. */
  readonly interval: Interval | null
  /** Where the value is made of one. */
  readonly curve: Curve | null
  readonly diagnoses: readonly Diagnosis[]
}

/** The part of a picture that a person marked, in the pixels of the feed: [H, W], 1 inside, 0 outside, 2 where nobody says. */
export interface MarkedPixels {
  readonly kind: 'pixels'
  readonly height: number
  readonly width: number
  readonly inside: Uint8Array
}
/** What a person marked in a text: for each token whether it lies in a mark, [T], special tokens never. */
export interface MarkedTokens {
  readonly kind: 'tokens'
  readonly inside: readonly boolean[]
  /** Each mark's tokens, in the order of the text. */
  readonly spans: readonly (readonly number[])[]
}

/** What a metric judges. */
interface Judged<Context, Marked> {
  /** Raw and signed: [H, W] over the whole feed at its own resolution, or [T]. */
  readonly attribution: FloatTensor
  /** What the same method says, with the same parameters, in another context: of a neighbour of the input, of another class. */
  readonly again: (context: Context) => Promise<FloatTensor>
  /**
   * Works with the same method on the model as it would be had a share of its layers, counted from the output, learnt nothing:
   * they have random weights, drawn from the evaluation's seed. The model is let go behind the work.
   * @throws AppError METHOD_UNAVAILABLE where the engine cannot, BAD_MODEL
   */
  readonly randomised: <T>(
    share: number,
    work: (again: (context: Context) => Promise<FloatTensor>) => Promise<T>,
  ) => Promise<T>
  /** What made it: signed or not, complete or not, at which layer. */
  readonly output: Method['output']
  readonly layer: TapId | null
  /** Given to a metric that needs it; null to one that does not. */
  readonly marked: Marked | null
}
export type ImageJudged = Judged<ImageContext, MarkedPixels>
export type TextJudged = Judged<TextContext, MarkedTokens>
export type JudgedImage = ImageContext & ImageJudged
export type JudgedText = TextContext & TextJudged

interface MetricCostFacts extends CostFacts {
  /** What the method costs that is judged, in forward passes: some metrics ask it again. */
  readonly again: number
}

interface MetricDescription<P> extends Omit<Description<P>, 'cost'> {
  readonly family: MetricFamily
  /** The direction in which better explanations lie. */
  readonly better: 'higher' | 'lower'
  /** Where only one engine can: it gives the model random weights. */
  readonly engine?: 'onnx'
  /** It compares with what a person marked. */
  readonly needsAnnotation: boolean
  /** Cost in units of one forward pass of this input, an upper bound, of one judgement without its controls. */
  cost(params: P, facts: MetricCostFacts): number
}
export interface ImageMetric<P = unknown> extends MetricDescription<P> {
  readonly modality: 'image'
  run(context: JudgedImage, params: P): Promise<MetricResult>
}
export interface TextMetric<P = unknown> extends MetricDescription<P> {
  readonly modality: 'text'
  run(context: JudgedText, params: P): Promise<MetricResult>
}
export type Metric = ImageMetric | TextMetric

/** Types a metric by its own parameters, then erases them for the list. */
export function imageMetric<P>(metric: ImageMetric<P>): ImageMetric {
  return metric
}
export function textMetric<P>(metric: TextMetric<P>): TextMetric {
  return metric
}
