/**
 * Accepts the question what metrics say of a run: checks all of it, then stores an evaluation for each metric and queues it.
 * The same question twice is one evaluation: its key is the hash of all that determines the numbers.
 */
import { createHash, randomUUID } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import { RANDOM_CONTROLS } from '../../lib/evaluate.ts'
import { parseParams } from '../../lib/methods/parse-params.ts'
import { checkMetric } from '../../lib/metrics/available.ts'
import type { marks } from '../../lib/metrics/marks.ts'
import type { Metric } from '../../lib/metrics/metric.ts'
import type { Annotation, Evaluation, Run } from '../../prisma/generated/client.ts'
import { canonicalJson } from '../canonical.ts'
import { evaluateKind } from '../jobs/kinds/evaluate.ts'
import { weightOf, type Weight } from '../jobs/queued-job.ts'
import type { Parts } from '../parts.ts'
import { checkBox, checkSpan } from './annotate-run.ts'
import { checkCost, checkSeed } from './create-run.ts'
import { findMetric } from './find-metric.ts'
import { getRun } from './get-run.ts'
import { judgedRun } from './judged-run.ts'
import { queuedAgain } from './queued-again.ts'
import { isUniqueViolation } from './unique-violation.ts'
import type { z } from 'zod'

export interface EvaluateRequest {
  readonly metrics: readonly { readonly id: string; readonly params?: unknown }[]
  readonly seed?: number | null
  readonly randomControls?: number | null
  /** In place of what is marked on the run. */
  readonly annotation?: {
    readonly boxes?: readonly { x: number; y: number; width: number; height: number }[] | null
    readonly spans?: readonly { start: number; end: number }[] | null
  } | null
}

type StatedMarks = z.infer<typeof marks>
type Box = Extract<StatedMarks, { kind: 'boxes' }>['boxes'][number]

export const MOST_METRICS = 50
const MOST_RANDOM_CONTROLS = 100

export function checkRandomControls(count: number): number {
  if (Number.isInteger(count) && count >= 2 && count <= MOST_RANDOM_CONTROLS) return count
  throw new AppError({
    code: 'BAD_INPUT',
    message: `randomControls is ${count}; it must be 2 to ${MOST_RANDOM_CONTROLS}, for an interval needs two.`,
  })
}

function statedMarks(run: Run, { boxes, spans }: NonNullable<EvaluateRequest['annotation']>): StatedMarks | null {
  for (const box of boxes ?? []) checkBox(run, box)
  for (const span of spans ?? []) checkSpan(run, span)
  if (boxes != null && boxes.length > 0) return { kind: 'boxes', boxes: boxes.map((box) => ({ ...box })) }
  if (spans != null && spans.length > 0) return { kind: 'spans', spans: spans.map((span) => ({ ...span })) }
  return null
}

/** What is marked on the run itself, by position: the order in which it was marked has no part in the numbers. */
function marksIn(annotations: readonly Annotation[]): StatedMarks | null {
  const boxes = annotations.flatMap(({ boxX: x, boxY: y, boxWidth: width, boxHeight: height }) =>
    x === null || y === null || width === null || height === null ? [] : [{ x, y, width, height }],
  )
  const byPlace = (a: Box, b: Box): number => a.x - b.x || a.y - b.y || a.width - b.width || a.height - b.height
  if (boxes.length > 0) return { kind: 'boxes', boxes: boxes.sort(byPlace) }
  const spans = annotations.flatMap(({ spanStart: start, spanEnd: end }) =>
    start === null || end === null ? [] : [{ start, end }],
  )
  return spans.length > 0 ? { kind: 'spans', spans: spans.sort((a, b) => a.start - b.start || a.end - b.end) } : null
}

async function marksFor(parts: Parts, run: Run, { annotation }: EvaluateRequest): Promise<StatedMarks | null> {
  if (annotation != null) return statedMarks(run, annotation)
  return marksIn(await parts.prisma.annotation.findMany({ where: { runId: run.id } }))
}

interface CheckedEvaluation {
  readonly key: string
  readonly metric: Metric
  readonly params: string
  readonly seed: number
  readonly randomControls: number
  readonly marks: string | null
  readonly weight: Weight
}

function neededMarks(metric: Metric, marked: StatedMarks | null): string | null {
  if (!metric.needsAnnotation) return null
  if (marked !== null) return canonicalJson(marked)
  const [what, field] =
    metric.modality === 'image' ? ['a box on the picture', 'boxes'] : ['a span of the text', 'spans']
  throw new AppError({
    code: 'BAD_INPUT',
    message: `${metric.title} compares with what a person marked, and nothing is marked on this run. Annotate it with ${what}, or give annotation { ${field} }.`,
    details: { metric: metric.id },
  })
}

async function check(
  parts: Parts,
  runId: string,
  request: EvaluateRequest,
  mayWait: boolean,
): Promise<{ run: Run; all: CheckedEvaluation[] }> {
  if (request.metrics.length === 0 || request.metrics.length > MOST_METRICS)
    throw new AppError({
      code: 'BAD_INPUT',
      message: `Name 1 to ${MOST_METRICS} metrics, not ${request.metrics.length}.`,
    })
  const seed = checkSeed(request.seed ?? 0)
  const randomControls = checkRandomControls(request.randomControls ?? RANDOM_CONTROLS)
  const { run, modality, described, passesOf } = await judgedRun(parts, runId, mayWait)
  const marked = await marksFor(parts, run, request)
  const all = request.metrics.map(({ id, params: given }) => {
    const metric = findMetric(parts, id, modality)
    const params = parseParams(metric, given)
    checkMetric(metric, described)
    const cost = passesOf(metric, params, randomControls)
    checkCost(metric, cost)
    const asked = { params: canonicalJson(params), seed, randomControls, marks: neededMarks(metric, marked) }
    const identity = { run: run.key, metric: `${metric.id}@${metric.version}`, ...asked }
    const key = createHash('sha256').update(canonicalJson(identity)).digest('hex')
    return { key, metric, ...asked, weight: weightOf(cost) }
  })
  return { run, all }
}

/** An evaluation that ended without a result is computed again, under its own id. Null: it is gone. */
async function restart(parts: Parts, { id }: Evaluation, weight: Weight): Promise<Evaluation | null> {
  const { count } = await parts.prisma.evaluation.updateMany({
    where: { id, status: { in: ['FAILED', 'CANCELLED'] } },
    data: queuedAgain(parts.now()),
  })
  if (count > 0) parts.queue.enqueue({ id, kind: evaluateKind.id, weight })
  return parts.prisma.evaluation.findUnique({ where: { id } })
}

/** @param place among those of one request: a millisecond apart, so that they stay in the order in which they were asked for */
async function insert(
  parts: Parts,
  run: Run,
  { metric, weight, ...asked }: CheckedEvaluation,
  place: number,
): Promise<Evaluation> {
  const at = new Date(parts.now().getTime() + place)
  const row = await parts.prisma.evaluation.create({
    data: {
      id: randomUUID(),
      runId: run.id,
      status: 'QUEUED',
      modality: run.modality,
      metricId: metric.id,
      metricVersion: metric.version,
      ...asked,
      createdAt: at,
      queuedAt: at,
    },
  })
  parts.queue.enqueue({ id: row.id, kind: evaluateKind.id, weight })
  return row
}

async function storedOrNew(parts: Parts, run: Run, asked: CheckedEvaluation, place: number): Promise<Evaluation> {
  for (;;) {
    const known = await parts.prisma.evaluation.findUnique({ where: { key: asked.key } })
    if (known !== null) {
      if (known.status !== 'FAILED' && known.status !== 'CANCELLED') return known
      const again = await restart(parts, known, asked.weight)
      if (again !== null) return again
      continue // it was deleted meanwhile
    }
    try {
      return await insert(parts, run, asked, place)
    } catch (error) {
      // Somebody asked the same at the same time; theirs is ours.
      if (isUniqueViolation(error)) continue
      await getRun(parts, run.id) // it may have been deleted meanwhile
      throw error
    }
  }
}

/**
 * The evaluations that answer the request, in its order: stored ones where the same was asked before and did not fail.
 * @param mayWait of a run that has not ended: they are computed when it has
 * @throws AppError for every way in which the request can be wrong; then nothing was stored
 */
export async function createEvaluations(
  parts: Parts,
  runId: string,
  request: EvaluateRequest,
  mayWait = false,
): Promise<readonly Evaluation[]> {
  const { run, all } = await check(parts, runId, request, mayWait)
  const evaluations: Evaluation[] = []
  for (const [place, one] of all.entries()) evaluations.push(await storedOrNew(parts, run, one, place))
  return evaluations
}
