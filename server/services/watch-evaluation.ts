import { AppError } from '../../lib/errors.ts'
import type { Evaluation } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { hasEnded } from './get-run.ts'
import { untilEnded, watchStates } from './watch-states.ts'

type WatchParts = Pick<Parts, 'prisma' | 'news'>

async function findEvaluation({ prisma }: Pick<Parts, 'prisma'>, id: string): Promise<Evaluation | null> {
  return prisma.evaluation.findUnique({ where: { id } })
}

/** @throws AppError NOT_FOUND */
export async function getEvaluation(parts: Pick<Parts, 'prisma'>, id: string): Promise<Evaluation> {
  const evaluation = await findEvaluation(parts, id)
  if (evaluation !== null) return evaluation
  throw new AppError({
    code: 'NOT_FOUND',
    message: `There is no evaluation ${id}. It goes when its run is deleted.`,
    details: { evaluationId: id },
  })
}

/**
 * The evaluation now, and again whenever its status or progress changes, until it has ended or was deleted.
 * @throws AppError NOT_FOUND when there is no such evaluation
 */
export function watchEvaluation(parts: WatchParts, id: string): AsyncIterableIterator<Evaluation> {
  return watchStates(parts.news, id, {
    first: () => getEvaluation(parts, id),
    next: () => findEvaluation(parts, id),
    hasEnded,
  })
}

/** Each when it has ended, or as it is after `waitMs`, whichever is first. */
export async function waitForEvaluations(
  parts: WatchParts,
  evaluations: readonly Evaluation[],
  waitMs: number,
): Promise<readonly Evaluation[]> {
  return Promise.all(
    evaluations.map(async (one) =>
      hasEnded(one) || waitMs <= 0 ? one : untilEnded(one, watchEvaluation(parts, one.id), waitMs),
    ),
  )
}

/** Stops an evaluation that has not ended; one that has stays as it is. @throws AppError NOT_FOUND */
export async function cancelEvaluation(
  parts: Pick<Parts, 'prisma' | 'queue' | 'now'>,
  id: string,
): Promise<Evaluation> {
  await getEvaluation(parts, id)
  const { count } = await parts.prisma.evaluation.updateMany({
    where: { id, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { status: 'CANCELLED', finishedAt: parts.now() },
  })
  if (count > 0) parts.queue.stop(id)
  return getEvaluation(parts, id)
}
