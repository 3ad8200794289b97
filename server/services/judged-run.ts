/** A finished run as metrics see it: what made it, and what it costs to judge it. */
import { AppError } from '../../lib/errors.ts'
import { RANDOM_CONTROLS } from '../../lib/evaluate.ts'
import { costFacts } from '../../lib/methods/cost.ts'
import { methodFor } from '../../lib/methods/find.ts'
import { parseParams } from '../../lib/methods/parse-params.ts'
import { whyNoMetric } from '../../lib/metrics/available.ts'
import type { Metric } from '../../lib/metrics/metric.ts'
import type { Modality } from '../../lib/models/card.ts'
import { refOf } from '../../lib/models/model-ref.ts'
import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { findModel } from './find-model.ts'
import { getRun, hasEnded } from './get-run.ts'

interface JudgedRun {
  readonly run: Run
  readonly modality: Modality
  /** Of its model. */
  readonly described: Awaited<ReturnType<Parts['describe']>>
  /** Forward passes that a metric takes with all its controls, an upper bound. */
  readonly passesOf: (metric: Metric, params: unknown, randomControls: number) => number
}

/**
 * @param mayWait whether a run that has not ended will do
 * @throws AppError NOT_FOUND, CONFLICT where there is no result yet, or no more of what made it
 */
export async function judgedRun(parts: Parts, id: string, mayWait = false): Promise<JudgedRun> {
  const run = await getRun(parts, id)
  if (run.status !== 'DONE' && !(mayWait && !hasEnded(run)))
    throw new AppError({
      code: 'CONFLICT',
      message: `The run ${id} is ${run.status}, so there is no result to judge. Wait until it is DONE.`,
      details: { runId: id, status: run.status },
    })
  const modality = run.modality === 'image' ? 'image' : 'text'
  const model = await findModel(parts, run.modelId)
  const method = methodFor(parts.methods, modality, run.methodId)
  const changed =
    refOf(model) !== run.modelVersionId ? model.id : method?.version === run.methodVersion ? null : run.methodId
  if (changed !== null || method === null)
    throw new AppError({
      code: 'CONFLICT',
      message: `${changed ?? run.methodId} has changed since this run was made, so its explanation cannot be judged any more. Explain the input again.`,
      details: { runId: id },
    })
  const described = await parts.describe(model)
  const costs = costFacts(model.card, null, run.text)
  const again = method.cost(parseParams(method, JSON.parse(run.params)), costs)
  return {
    run,
    modality,
    described,
    // Itself, the random controls, the uniform one and the edges.
    passesOf: (metric, params, randomControls) => metric.cost(params, { ...costs, again }) * (3 + randomControls),
  }
}

export interface OfferedMetric {
  readonly metric: Metric
  /** Why it cannot be asked; null where it can. */
  readonly reason: string | null
  /** As {@link JudgedRun.passesOf}, asked with the defaults; null where it is not known of which input. */
  readonly passes: number | null
}

/** The metrics of a run's modality, with what each would cost here. @throws AppError as {@link judgedRun} */
export async function offeredMetrics(parts: Parts, runId: string): Promise<readonly OfferedMetric[]> {
  const { modality, described, passesOf } = await judgedRun(parts, runId)
  return parts.metrics
    .filter((metric) => metric.modality === modality)
    .map((metric) => ({
      metric,
      reason: whyNoMetric(metric, described),
      passes: passesOf(metric, parseParams(metric, {}), RANDOM_CONTROLS),
    }))
}
