import type { PrismaClient } from '../../prisma/generated/client.ts'
import type { Method } from '../../lib/methods/method.ts'
import { costFacts } from '../../lib/methods/cost.ts'
import { methodFor } from '../../lib/methods/find.ts'
import { mapCount, storedMaps } from '../../lib/methods/maps-asked.ts'
import { modelCard } from '../../lib/models/card.ts'
import { MAX_ATTEMPTS, type Recovered } from '../jobs/job-store.ts'
import { explainKind } from '../jobs/kinds/explain.ts'
import { weightOf, type Weight } from '../jobs/queued-job.ts'

interface StoredQuestion {
  readonly params: string
  readonly text: string | null
  readonly maps: string | null
  readonly model: { readonly card: string }
}

/** A method that is gone, or that takes other parameters now, tells nothing of its cost: the run counts as heavy. */
function weightOfStored(method: Method | null, run: StoredQuestion): Weight {
  const parsed = method?.params.safeParse(JSON.parse(run.params))
  if (method === null || parsed?.success !== true) return 'heavy'
  const card = modelCard.safeParse(JSON.parse(run.model.card))
  const maps = run.maps === null ? 1 : mapCount(storedMaps(run.maps))
  return card.success ? weightOf(maps * method.cost(parsed.data, costFacts(card.data, null, run.text))) : 'heavy'
}

/** As {@link JobStore.recover} says, for runs. */
export async function recoverRuns(
  prisma: PrismaClient,
  methods: readonly Method[],
  now: () => Date,
): Promise<Recovered> {
  return prisma.$transaction(async (tx) => {
    const { count: failed } = await tx.run.updateMany({
      where: { status: 'RUNNING', attempts: { gte: MAX_ATTEMPTS } },
      data: {
        status: 'FAILED',
        errorCode: 'WORKER_LOST',
        errorMessage: `Limelight ended ${MAX_ATTEMPTS} times while it computed this run, so it is not tried again by itself. Ask for it again to try once more.`,
        finishedAt: now(),
      },
    })
    await tx.run.updateMany({ where: { status: 'RUNNING' }, data: { status: 'QUEUED', startedAt: null } })
    const queued = await tx.run.findMany({
      where: { status: 'QUEUED' },
      orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
      select: {
        id: true,
        modality: true,
        methodId: true,
        params: true,
        text: true,
        maps: true,
        model: { select: { card: true } },
      },
    })
    return {
      queued: queued.map((run) => ({
        id: run.id,
        kind: explainKind.id,
        weight: weightOfStored(methodFor(methods, run.modality === 'image' ? 'image' : 'text', run.methodId), run),
      })),
      failed,
    }
  })
}
