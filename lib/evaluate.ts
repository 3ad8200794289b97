/** One judgement of one attribution: the input prepared as for the method that made it, the metric run, its value checked. */
import { AppError, throwIfCancelled } from './errors.ts'
import { parseParams } from './methods/parse-params.ts'
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
  { metric, params: given, attribution, ...parts }: EvaluateRequest,
): Promise<MetricResult> {
  throwIfCancelled(parts.signal)
  const params = parseParams(metric, given)
  const asked = { of: metric, params }
  const { preprocessing } = loaded.entry.card
  if (input.kind === 'image' && preprocessing.kind === 'image' && metric.modality === 'image') {
    const { context } = await prepareImage(loaded, input.image, preprocessing, asked, parts)
    return checked(await metric.run({ ...context, attribution: ofRank(attribution, 2) }, params), metric)
  }
  if (input.kind === 'text' && preprocessing.kind === 'text' && metric.modality === 'text') {
    const { context } = await prepareText(loaded, input.text, preprocessing, asked, parts)
    if (attribution.dims.join() !== String(context.tokenIds.length))
      throw notOf(attribution, `[${context.tokenIds.length}], a score a token`)
    return checked(await metric.run({ ...context, attribution }, params), metric)
  }
  throw new AppError({
    code: 'WRONG_MODALITY',
    message: `${metric.title} judges ${metric.modality} attributions; ${loaded.entry.id} reads ${preprocessing.kind === 'image' ? 'pictures' : 'text'}, and was given ${input.kind}.`,
  })
}

function ofRank(attribution: FloatTensor, rank: number): FloatTensor {
  if (attribution.dims.length === rank) return attribution
  throw notOf(attribution, '[H, W]')
}

function notOf({ dims }: FloatTensor, expected: string): AppError {
  return new AppError({
    code: 'BAD_INPUT',
    message: `The attribution has the shape [${dims.join(', ')}]; of this input it would be ${expected}.`,
  })
}
