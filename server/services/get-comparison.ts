/** Runs side by side: what was asked of one model about one input. */
import { AppError } from '../../lib/errors.ts'
import { correlationsOf, type Correlation } from '../../lib/compare/correlations.ts'
import { distinct, type Column, type Score } from '../../lib/compare/verdicts.ts'
import type { Metric } from '../../lib/metrics/metric.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import type { Evaluation, Run } from '../../prisma/generated/client.ts'
import { canonicalJson } from '../canonical.ts'
import type { Parts } from '../parts.ts'
import { floatsOf } from '../storage/float-bytes.ts'
import type { StoredDetail } from '../storage/stored-detail.ts'
import type { StoredJudgement } from './evaluation-store.ts'
import type { RunParts } from './load-run-parts.ts'

export const MOST_METHODS = 40

/** What is the same in all runs of a comparison. */
function questionOf({ modelVersionId, assetId, text, targetIndex, target }: Run): string {
  return canonicalJson([modelVersionId, assetId, text, targetIndex, target])
}

/**
 * The runs of these ids, in this order.
 * @throws AppError BAD_INPUT where there are too few or too many, one stands twice, or they are not about one input, model and
 *   target; NOT_FOUND
 */
export async function comparedRuns({ prisma }: Pick<Parts, 'prisma'>, ids: readonly string[]): Promise<readonly Run[]> {
  const bad = (message: string): AppError => new AppError({ code: 'BAD_INPUT', message })
  if (ids.length === 0 || ids.length > MOST_METHODS) throw bad(`Name 1 to ${MOST_METHODS} runs, not ${ids.length}.`)
  const twice = ids.find((id, at) => ids.indexOf(id) < at)
  if (twice !== undefined) throw bad(`The run ${twice} stands twice in this comparison. Name each once.`)
  const found = new Map((await prisma.run.findMany({ where: { id: { in: [...ids] } } })).map((run) => [run.id, run]))
  const runs = ids.map((id) => {
    const run = found.get(id)
    if (run !== undefined) return run
    throw new AppError({
      code: 'NOT_FOUND',
      message: `There is no run ${id}. It may have been deleted.`,
      details: { runId: id },
    })
  })
  const [first] = runs
  const other = runs.find((run) => first !== undefined && questionOf(run) !== questionOf(first))
  if (other === undefined) return runs
  throw bad(
    `The runs ${first?.id ?? ''} and ${other.id} do not ask one model about one target of one input, so they cannot be compared.`,
  )
}

/** A run's attribution as correlations take it: a map, or the scores of the tokens that are words; null where there is none. */
async function attributionOf({ id }: Run, { result, attribution }: RunParts): Promise<FloatTensor | null> {
  const [facts, bytes] = await Promise.all([result.load(id), attribution.load(id)])
  if (facts === null || bytes === null) return null
  const detail = JSON.parse(facts.detail) as StoredDetail
  const values = floatsOf(bytes)
  if (detail.kind === 'image') return float32(values, [detail.height, detail.width])
  const words = values.filter((_, at) => detail.tokens[at]?.special === false)
  return float32(words, [words.length])
}

/** Between the runs that are done; places are those among all runs. */
export async function correlationsBetween(
  runs: readonly Run[],
  parts: RunParts,
): Promise<readonly (Omit<Correlation, 'first' | 'second'> & { readonly first: Run; readonly second: Run })[]> {
  const attributions = await Promise.all(runs.map((run) => attributionOf(run, parts)))
  const done = runs.flatMap((run, at) => {
    const attribution = attributions[at] ?? null
    return attribution === null ? [] : [{ run, attribution }]
  })
  return correlationsOf(done.map(({ attribution }) => attribution)).flatMap(({ first, second, ...correlation }) => {
    const [one, other] = [done[first], done[second]]
    return one === undefined || other === undefined ? [] : [{ ...correlation, first: one.run, second: other.run }]
  })
}

function scoreOf(evaluation: Evaluation | undefined): Score {
  if (evaluation?.result == null) return { value: null, random: null }
  const { value, controls } = JSON.parse(evaluation.result) as StoredJudgement
  return { value, random: controls.find(({ id }) => id === 'random')?.interval ?? null }
}

/**
 * The metrics that were asked of the runs, each with its parameters, seed and controls: what was asked differently is another.
 * @param metrics what this Limelight has; one that it has no more is left out
 */
export async function metricColumns(
  runs: readonly Run[],
  metrics: readonly Metric[],
  { evaluations }: RunParts,
): Promise<readonly Column[]> {
  const ofRuns = await Promise.all(runs.map(({ id }) => evaluations.load(id)))
  const asked = (one: Evaluation): string =>
    canonicalJson([one.metricId, one.metricVersion, one.params, one.seed, one.randomControls, one.marks])
  const columns = new Map(ofRuns.flat().map((one) => [asked(one), one]))
  const known = [...columns].flatMap(([key, { metricId, modality }]) => {
    const metric = metrics.find((one) => one.id === metricId && one.modality === modality)
    return metric === undefined ? [] : [{ key, metric }]
  })
  const titles = distinct(known.map(({ metric }) => metric.title))
  return known.map(({ key, metric }, at) => ({
    title: titles[at] ?? metric.title,
    better: metric.better,
    scores: ofRuns.map((ofRun) => scoreOf(ofRun.find((one) => asked(one) === key))),
  }))
}
