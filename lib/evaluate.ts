/**
 * One judgement of one attribution and of its controls: the input prepared as for the method that made it, the metric run on
 * each, every value checked.
 */
import { AppError, throwIfCancelled } from './errors.ts'
import type { ExplainableModel } from './engine/model.ts'
import type { ImageContext, TextContext } from './methods/context.ts'
import type { ImageMethod, Method, TextMethod } from './methods/method.ts'
import { parseParams } from './methods/parse-params.ts'
import { layerIn, placeFor } from './methods/place.ts'
import { randomStream } from './methods/shared/random.ts'
import {
  controlsOfImage,
  controlsOfText,
  summarised,
  type Control,
  type ControlAttributions,
} from './metrics/controls.ts'
import { checkMetric } from './metrics/available.ts'
import { markedPixels, markedTokens, type Marks } from './metrics/marks.ts'
import type { ImageMetric, ImageJudged, Metric, MetricResult, TextJudged, TextMetric } from './metrics/metric.ts'
import { openNetwork, type LoadedModel } from './models/load.ts'
import { prepareImage, prepareText, type ExplainInput, type RunParts } from './prepare.ts'
import type { FloatTensor } from './tensor/tensor.ts'

export interface EvaluateRequest extends RunParts {
  readonly metric: Metric
  /** Parsed by the metric's own schema here. */
  readonly params: unknown
  /** As the method returned it: [H, W] or [T], raw and signed. */
  readonly attribution: FloatTensor
  /** What made it, with the parameters it was given. */
  readonly by: { readonly method: Method; readonly params: unknown }
  /** What a person marked, for a metric that needs it. */
  readonly marks?: Marks | null
  /** Seeds of the random control; 0 for no controls at all. */
  readonly randomControls?: number
}

export interface Evaluation extends MetricResult {
  readonly controls: readonly Control[]
}

/** Seeds of the random control, where nobody says. */
export const RANDOM_CONTROLS = 5

function checked(result: MetricResult, metric: Metric): MetricResult {
  const { value, curve, diagnoses } = result
  const numbers = [value ?? 0, ...(curve?.value ?? []), ...(curve?.share ?? [])]
  const explained = value !== null || diagnoses.some(({ code }) => code === 'METRIC_UNDEFINED')
  if (numbers.every(Number.isFinite) && explained && curve?.share.length === curve?.value.length) return result
  throw new AppError({
    code: 'BAD_RESULT',
    message: `${metric.id} returned ${numbers.join(', ')}`,
    userMessage: `${metric.title} has no finite value for this attribution, so nothing is shown.`,
  })
}

/** Runs the judgement and those of the controls, each with its share of the progress. */
async function withControls<Judged>(
  metric: Metric,
  judged: Judged,
  controls: readonly ControlAttributions<Judged>[],
  { signal, progress }: Pick<RunParts, 'signal' | 'progress'>,
  run: (judged: Judged, progress: (fraction: number) => void) => Promise<MetricResult>,
): Promise<Evaluation> {
  const total = 1 + controls.reduce((sum, control) => sum + control.judged.length, 0)
  let done = 0
  const one = async (of: Judged): Promise<MetricResult> => {
    throwIfCancelled(signal)
    const before = done
    const result = await run(of, (fraction) => progress((before + fraction) / total))
    done += 1
    progress(done / total)
    return checked(result, metric)
  }
  const own = await one(judged)
  const told: Control[] = []
  for (const control of controls) {
    const results: MetricResult[] = []
    for (const of of control.judged) results.push(await one(of))
    told.push(summarised(control.id, results))
  }
  return { ...own, controls: told }
}

interface Settled extends Omit<EvaluateRequest, 'params' | 'marks' | 'randomControls'> {
  readonly params: unknown
  readonly methodParams: unknown
  readonly marks: Marks | null
  readonly samples: number
  /** A method that is asked again gives signs of life, and moves nothing on. */
  readonly alive: () => void
}

/** The marks, where the metric needs them. @throws AppError BAD_INPUT where there are none */
function marksFor({ metric, marks }: Settled): Marks | null {
  if (!metric.needsAnnotation) return null
  if (marks !== null) return marks
  const what = metric.modality === 'image' ? 'a box on the picture' : 'a span of the text'
  throw new AppError({
    code: 'BAD_INPUT',
    message: `${metric.title} compares with what a person marked, and nothing is marked. Mark ${what}, or give an annotation.`,
  })
}

/** What belongs to a method and is the same for every attribution it makes here. */
function judgedBy({ attribution, by, methodParams }: Settled, { facts }: LoadedModel) {
  const tap = placeFor(by.method, layerIn(methodParams), facts)
  return { tap, judged: { attribution, output: by.method.output, layer: tap?.id ?? null } }
}

/** Works with the model as it would be had its last layers learnt nothing. */
async function withRandomWeights<T>(
  { entry }: LoadedModel,
  seed: number,
  share: number,
  work: (model: ExplainableModel) => Promise<T>,
): Promise<T> {
  const normal = (layer: number): (() => number) => randomStream(seed, 'weights', layer).normal
  const model = await openNetwork(entry, { randomWeights: { share, normal } })
  try {
    return await work(model)
  } finally {
    await model.dispose()
  }
}

async function evaluateImage(
  loaded: LoadedModel,
  { image }: Extract<ExplainInput, { kind: 'image' }>,
  metric: ImageMetric,
  method: ImageMethod,
  asked: Settled,
): Promise<Evaluation> {
  const { preprocessing } = loaded.entry.card
  if (preprocessing.kind !== 'image') throw wrongModality(metric, loaded, 'image')
  checkMetric(metric, { facts: loaded.facts, engine: loaded.model.engine })
  const { params, methodParams, samples, attribution } = asked
  const { context, placement } = await prepareImage(loaded, image, preprocessing, { of: metric, params }, asked)
  const { tap, judged: by } = judgedBy(asked, loaded)
  checkMap(attribution, context.picture)
  const marked = marksFor(asked)
  const [, , height = 0, width = 0] = context.picture.dims
  const again = async (other: ImageContext): Promise<FloatTensor> =>
    (await method.run({ ...other, tap, progress: asked.alive }, methodParams)).map
  const judged: ImageJudged = {
    ...by,
    again,
    randomised: (share, work) =>
      withRandomWeights(loaded, asked.seed, share, (model) => work((other) => again({ ...other, model }))),
    marked: marked === null ? null : markedPixels(marked, placement, height, width),
  }
  const controls = samples === 0 ? [] : controlsOfImage(context, judged, samples)
  return withControls(metric, judged, controls, context, (of, progress) =>
    metric.run({ ...context, ...of, progress }, params),
  )
}

async function evaluateText(
  loaded: LoadedModel,
  { text }: Extract<ExplainInput, { kind: 'text' }>,
  metric: TextMetric,
  method: TextMethod,
  asked: Settled,
): Promise<Evaluation> {
  const { preprocessing } = loaded.entry.card
  if (preprocessing.kind !== 'text') throw wrongModality(metric, loaded, 'text')
  checkMetric(metric, { facts: loaded.facts, engine: loaded.model.engine })
  const { params, methodParams, samples, attribution } = asked
  const { context } = await prepareText(loaded, text, preprocessing, { of: metric, params }, asked)
  const { tap, judged: by } = judgedBy(asked, loaded)
  if (attribution.dims.join() !== String(context.tokenIds.length))
    throw notOf(attribution, `[${context.tokenIds.length}], a score a token`)
  const marked = marksFor(asked)
  const again = async (other: TextContext): Promise<FloatTensor> =>
    (await method.run({ ...other, tap, progress: asked.alive }, methodParams)).scores
  const judged: TextJudged = {
    ...by,
    again,
    randomised: (share, work) =>
      withRandomWeights(loaded, asked.seed, share, (model) => work((other) => again({ ...other, model }))),
    marked: marked === null ? null : markedTokens(marked, context.tokens, context.special),
  }
  const controls = samples === 0 ? [] : controlsOfText(context, judged, samples)
  return withControls(metric, judged, controls, context, (of, progress) =>
    metric.run({ ...context, ...of, progress }, params),
  )
}

/**
 * @throws AppError WRONG_MODALITY, METHOD_UNAVAILABLE, BAD_PARAMETER, BAD_INPUT for an attribution that is not of this input
 *   or marks that the metric needs and has not, BAD_RESULT, CANCELLED
 */
export async function evaluate(
  loaded: LoadedModel,
  input: ExplainInput,
  request: EvaluateRequest,
): Promise<Evaluation> {
  const { metric, attribution, by, signal } = request
  throwIfCancelled(signal)
  const { method } = by
  let reached = 0
  const progress = (fraction: number): void => {
    reached = Math.max(reached, fraction)
    request.progress(reached)
  }
  const asked: Settled = {
    ...request,
    progress,
    alive: () => progress(reached),
    params: parseParams(metric, request.params),
    methodParams: parseParams(method, by.params),
    marks: request.marks ?? null,
    samples: request.randomControls ?? RANDOM_CONTROLS,
  }
  if (!attribution.data.every(Number.isFinite)) throw notOf(attribution, 'finite')
  if (input.kind === 'image' && metric.modality === 'image' && method.modality === 'image')
    return evaluateImage(loaded, input, metric, method, asked)
  if (input.kind === 'text' && metric.modality === 'text' && method.modality === 'text')
    return evaluateText(loaded, input, metric, method, asked)
  throw wrongModality(metric, loaded, input.kind)
}

function wrongModality(metric: Metric, { entry }: LoadedModel, kind: ExplainInput['kind']): AppError {
  const reads = entry.card.preprocessing.kind === 'image' ? 'pictures' : 'text'
  return new AppError({
    code: 'WRONG_MODALITY',
    message: `${metric.title} judges ${metric.modality} attributions; ${entry.id} reads ${reads}, and was given ${kind}.`,
  })
}

/** A map has at most a cell a pixel of what the model was fed. */
function checkMap(attribution: FloatTensor, picture: FloatTensor): void {
  const [, , mostHigh = 0, mostWide = 0] = picture.dims
  const [height = 0, width = 0] = attribution.dims
  if (attribution.dims.length === 2 && height >= 1 && width >= 1 && height <= mostHigh && width <= mostWide) return
  throw notOf(attribution, `[H, W] of 1 to ${mostHigh} by 1 to ${mostWide} cells`)
}

function notOf({ dims }: FloatTensor, expected: string): AppError {
  return new AppError({
    code: 'BAD_INPUT',
    message: `The attribution is no attribution of this input: it has the shape [${dims.join(', ')}], and would be ${expected}.`,
  })
}
