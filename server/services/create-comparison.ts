/**
 * Accepts the question how several methods explain one input and what metrics say of each: an ordinary run a method and
 * ordinary evaluations of it, which are computed when the run has ended.
 */
import { AppError } from '../../lib/errors.ts'
import { RANDOM_CONTROLS } from '../../lib/evaluate.ts'
import { parseParams } from '../../lib/methods/parse-params.ts'
import { checkMetric } from '../../lib/metrics/available.ts'
import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { cancelRun } from './cancel-run.ts'
import { checkRandomControls, createEvaluations, MOST_METRICS, type EvaluateRequest } from './create-evaluations.ts'
import { createRuns, type RunRequest } from './create-run.ts'
import { findMetric } from './find-metric.ts'
import { findModel } from './find-model.ts'
import { comparedRuns, MOST_METHODS } from './get-comparison.ts'
import { cancelEvaluation, waitForEvaluations } from './watch-evaluation.ts'
import { waitForRun } from './watch-run.ts'

interface CompareRequest
  extends
    Omit<RunRequest, 'method' | 'params' | 'layers' | 'allLayers' | 'targets'>,
    Pick<EvaluateRequest, 'randomControls'> {
  readonly methods: readonly { readonly id: string; readonly params?: unknown }[]
  readonly metrics: EvaluateRequest['metrics']
}

function bad(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

/** What can be said of metrics before there is a run. @throws AppError as `createEvaluations` */
async function checkMetrics(parts: Parts, { model: name, metrics, randomControls }: CompareRequest): Promise<void> {
  checkRandomControls(randomControls ?? RANDOM_CONTROLS)
  if (metrics.length > MOST_METRICS) throw bad(`Name at most ${MOST_METRICS} metrics, not ${metrics.length}.`)
  if (metrics.length === 0) return
  const model = await findModel(parts, name)
  const described = await parts.describe(model)
  for (const { id, params } of metrics) {
    const metric = findMetric(parts, id, model.card.preprocessing.kind)
    parseParams(metric, params)
    checkMetric(metric, described)
    if (metric.needsAnnotation)
      throw bad(
        `${metric.title} compares with what a person marked, which a comparison takes none of. Leave it out, and ask \`evaluate\` for it of each run: the comparison shows it then.`,
      )
  }
}

/**
 * The runs that answer the request, in the order of the methods, with their evaluations on the way: stored ones where the same
 * was asked before and did not fail.
 * @throws AppError for every way in which the request can be wrong; then nothing was stored
 */
export async function createComparison(parts: Parts, request: CompareRequest): Promise<readonly Run[]> {
  const { methods, metrics, randomControls = null, ...asked } = request
  if (methods.length === 0 || methods.length > MOST_METHODS)
    throw bad(`Name 1 to ${MOST_METHODS} methods, not ${methods.length}.`)
  await checkMetrics(parts, request)
  const runs = await createRuns(
    parts,
    methods.map(({ id, params = null }) => ({ ...asked, method: id, params })),
  )
  if (metrics.length > 0)
    for (const { id } of runs)
      await createEvaluations(parts, id, { metrics, seed: asked.seed ?? 0, randomControls }, true)
  return runs
}

async function evaluationsOf({ prisma }: Pick<Parts, 'prisma'>, runs: readonly Run[]) {
  return prisma.evaluation.findMany({ where: { runId: { in: runs.map(({ id }) => id) } } })
}

/** The runs when they and their evaluations have ended, or as they are after `waitMs`, whichever is first. */
export async function waitForComparison(
  parts: Pick<Parts, 'prisma' | 'news'>,
  runs: readonly Run[],
  waitMs: number,
): Promise<readonly Run[]> {
  if (waitMs <= 0) return runs
  await Promise.all([
    ...runs.map((run) => waitForRun(parts, run, waitMs)),
    waitForEvaluations(parts, await evaluationsOf(parts, runs), waitMs),
  ])
  return comparedRuns(
    parts,
    runs.map(({ id }) => id),
  )
}

/** Stops what has not ended of the runs and of their evaluations. @throws AppError as `comparedRuns` */
export async function cancelComparison(
  parts: Pick<Parts, 'prisma' | 'queue' | 'now'>,
  runIds: readonly string[],
): Promise<readonly Run[]> {
  const runs = await comparedRuns(parts, runIds)
  // First what waits: it would begin, only to find that there is nothing to judge.
  for (const { id } of await evaluationsOf(parts, runs)) await cancelEvaluation(parts, id)
  for (const { id } of runs) await cancelRun(parts, id)
  return comparedRuns(parts, runIds)
}
