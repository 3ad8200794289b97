/** Where a metric can be asked: as a method, and of the engine that it needs. */
import { AppError } from '../errors.ts'
import type { EngineInfo } from '../engine/model.ts'
import { whyUnavailable } from '../methods/place.ts'
import type { ModelFacts } from '../models/facts.ts'
import type { Metric } from './metric.ts'

interface Described {
  readonly facts: ModelFacts
  readonly engine: Pick<EngineInfo, 'name'>
}

/** Why a metric cannot judge explanations of a model, in a sentence for its user; null when it can. */
export function whyNoMetric(metric: Metric, { facts, engine }: Described): string | null {
  if (metric.engine !== undefined && metric.engine !== engine.name)
    return 'It gives the model other weights, which only the ONNX engine can. An ONNX file of the model may help.'
  return whyUnavailable(metric, facts)
}

/** @throws AppError METHOD_UNAVAILABLE */
export function checkMetric(metric: Metric, described: Described): void {
  const reason = whyNoMetric(metric, described)
  if (reason === null) return
  throw new AppError({
    code: 'METHOD_UNAVAILABLE',
    message: `${metric.title} cannot judge explanations of ${described.facts.title}. ${reason}`,
    details: { metric: metric.id },
  })
}
