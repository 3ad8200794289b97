/**
 * What a metric says of attributions that know nothing of the model, beside what it says of the one that is judged: a value
 * that these reach too tells nothing.
 *
 * - `random`: independent draws between the least and the largest value of the judged attribution, at its own resolution, for
 *   each of several seeds; told as their mean with a 95 % interval by Student's t.
 * - `uniform`: the mean absolute value everywhere, 1 where that is 0. What ranks breaks its ties by position.
 * - `edges` (pictures): the magnitude of the picture's Sobel gradient, at the feed's resolution, its largest value that of
 *   the judged attribution's absolute values. Many methods do not beat it (XAI-TRIS, 2306.12816).
 *
 * Asked again of a neighbour of the input, `random` and `uniform` are the same, and `edges` are those of the neighbour.
 */
import type { ImageContext, TextContext } from '../methods/context.ts'
import { randomStream } from '../methods/shared/random.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { sobelMagnitude } from './image/shared/edges.ts'
import type { Curve, ImageJudged, MetricResult, TextJudged } from './metric.ts'
import { mean, meanInterval, type Interval } from './shared/statistics.ts'

export const CONTROLS = ['random', 'uniform', 'edges'] as const
type ControlId = (typeof CONTROLS)[number]

export interface Control {
  readonly id: ControlId
  /** Of `random`: the mean over its seeds. null where the metric is not defined for it. */
  readonly value: number | null
  /** Of `random`: 95 % of its mean. */
  readonly interval: Interval | null
  /** Attributions behind the value: the seeds of `random`, else 1. */
  readonly samples: number
  /** Of `random`: the mean over its seeds, point by point. */
  readonly curve: Curve | null
}

/** What stands in for the judged attribution: one, or one a seed. */
export interface ControlAttributions<Judged> {
  readonly id: ControlId
  readonly judged: readonly Judged[]
}

function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function randomLike({ data, dims }: FloatTensor, seed: number, sample: number): FloatTensor {
  const { uniform } = randomStream(seed, 'control', sample)
  const least = data.reduce((low, value) => Math.min(low, value), Infinity)
  const most = data.reduce((high, value) => Math.max(high, value), -Infinity)
  const range = most > least ? most - least : 1
  return float32(
    data.map(() => least + range * uniform()),
    dims,
  )
}

function uniformLike({ data, dims }: FloatTensor): FloatTensor {
  const level = mean(data.map(Math.abs))
  return float32(new Float32Array(data.length).fill(level > 0 ? level : 1), dims)
}

/** A control does not look at the model, whatever its weights are. */
function knowingNothing<Judged extends ImageJudged | TextJudged>(
  judged: Judged,
  attribution: FloatTensor,
  again: Judged['again'],
): Judged {
  const randomised = (_share: number, work: (same: Judged['again']) => unknown): unknown => work(again)
  return { ...judged, attribution, again, randomised }
}

function always<Judged extends ImageJudged | TextJudged>(judged: Judged, attribution: FloatTensor): Judged {
  return knowingNothing(judged, attribution, () => Promise.resolve(attribution))
}

function textControls<Judged extends TextJudged | ImageJudged>(
  judged: Judged,
  seed: number,
  samples: number,
): ControlAttributions<Judged>[] {
  const { attribution } = judged
  const random = Array.from({ length: samples }, (_, sample) => always(judged, randomLike(attribution, seed, sample)))
  return [
    { id: 'random', judged: random },
    { id: 'uniform', judged: [always(judged, uniformLike(attribution))] },
  ]
}

/** @param samples seeds of `random` */
export function controlsOfText(
  { seed }: TextContext,
  judged: TextJudged,
  samples: number,
): readonly ControlAttributions<TextJudged>[] {
  return textControls(judged, seed, samples)
}

/** @param samples seeds of `random` */
export function controlsOfImage(
  { seed, picture, units }: ImageContext,
  judged: ImageJudged,
  samples: number,
): readonly ControlAttributions<ImageJudged>[] {
  const largest = largestOf(judged.attribution.data)
  const edgesOf = (of: FloatTensor): FloatTensor => {
    const { data, dims } = sobelMagnitude(of, units)
    const scale = (largest > 0 ? largest : 1) / (largestOf(data) || 1)
    return float32(
      data.map((value) => scale * value),
      dims,
    )
  }
  const edges = knowingNothing<ImageJudged>(judged, edgesOf(picture), (context) =>
    Promise.resolve(edgesOf(context.picture)),
  )
  return [...textControls(judged, seed, samples), { id: 'edges', judged: [edges] }]
}

/** Many judgements of one control as one. */
export function summarised(id: ControlId, results: readonly MetricResult[]): Control {
  const values = results.map(({ value }) => value).filter((value) => value !== null)
  const complete = values.length === results.length && values.length > 0
  return {
    id,
    value: complete ? mean(values) : null,
    interval: complete && id === 'random' ? meanInterval(values) : null,
    samples: results.length,
    curve: meanCurve(results.map(({ curve }) => curve)),
  }
}

function meanCurve(curves: readonly (Curve | null)[]): Curve | null {
  const [first] = curves
  const all = curves.filter((curve) => curve !== null)
  if (first === undefined || first === null || all.length < curves.length) return null
  if (!all.every(({ share }) => share.length === first.share.length)) return null
  return { share: first.share, value: first.share.map((_, at) => mean(all.map(({ value }) => value[at] ?? NaN))) }
}
