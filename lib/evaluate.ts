/** One judgement of one attribution: the input prepared as for the method that made it, the metric run, its value checked. */
import { AppError, throwIfCancelled } from './errors.ts'
import type { ImageContext, TextContext } from './methods/context.ts'
import type { Method } from './methods/method.ts'
import { parseParams } from './methods/parse-params.ts'
import { layerIn, placeFor } from './methods/place.ts'
import type { Metric, MetricResult } from './metrics/metric.ts'
import type { LoadedModel } from './models/load.ts'
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
}

function checked(result: MetricResult, metric: Metric): MetricResult {
  const numbers = [result.value, ...(result.curve?.value ?? []), ...(result.curve?.share ?? [])]
  if (numbers.every(Number.isFinite) && result.curve?.share.length === result.curve?.value.length) return result
  throw new AppError({
    code: 'BAD_RESULT',
    message: `${metric.id} returned ${numbers.join(', ')}`,
    userMessage: `${metric.title} has no finite value for this attribution, so nothing is shown.`,
  })
}

/**
 * @throws AppError WRONG_MODALITY, METHOD_UNAVAILABLE, BAD_PARAMETER, BAD_INPUT for an attribution that is not of this input,
 *   BAD_RESULT, CANCELLED
 */
export async function evaluate(
  loaded: LoadedModel,
  input: ExplainInput,
  { metric, params: given, attribution, by, ...parts }: EvaluateRequest,
): Promise<MetricResult> {
  throwIfCancelled(parts.signal)
  const { method } = by
  const params = parseParams(metric, given)
  const asked = { of: metric, params }
  const methodParams = parseParams(method, by.params)
  const tap = placeFor(method, layerIn(methodParams), loaded.facts)
  if (!attribution.data.every(Number.isFinite)) throw notOf(attribution, 'finite')
  const judged = { attribution, output: method.output, layer: tap?.id ?? null }
  const { preprocessing } = loaded.entry.card
  if (input.kind === 'image' && preprocessing.kind === 'image' && metric.modality === 'image') {
    if (method.modality !== 'image') throw wrongModality(metric, loaded, input)
    const { context } = await prepareImage(loaded, input.image, preprocessing, asked, parts)
    const again = async (other: ImageContext): Promise<FloatTensor> =>
      (await method.run({ ...other, tap }, methodParams)).map
    checkMap(attribution, context.picture)
    return checked(await metric.run({ ...context, ...judged, again }, params), metric)
  }
  if (input.kind === 'text' && preprocessing.kind === 'text' && metric.modality === 'text') {
    if (method.modality !== 'text') throw wrongModality(metric, loaded, input)
    const { context } = await prepareText(loaded, input.text, preprocessing, asked, parts)
    if (attribution.dims.join() !== String(context.tokenIds.length))
      throw notOf(attribution, `[${context.tokenIds.length}], a score a token`)
    const again = async (other: TextContext): Promise<FloatTensor> =>
      (await method.run({ ...other, tap }, methodParams)).scores
    return checked(await metric.run({ ...context, ...judged, again }, params), metric)
  }
  throw wrongModality(metric, loaded, input)
}

function wrongModality(metric: Metric, { entry }: LoadedModel, { kind }: ExplainInput): AppError {
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
