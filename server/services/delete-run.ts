import type { Parts } from '../parts.ts'
import { findRun } from './get-run.ts'

/**
 * Deletes a run with its results, evaluations, notes and links, and its picture when no other run shows it. Stops what is
 * being computed of it first.
 * @returns false when there was no such run
 */
export async function deleteRun(parts: Pick<Parts, 'prisma' | 'queue' | 'files'>, id: string): Promise<boolean> {
  const run = await findRun(parts, id)
  if (run === null) return false
  const evaluations = await parts.prisma.evaluation.findMany({ where: { runId: id }, select: { id: true } })
  const { count } = await parts.prisma.run.deleteMany({ where: { id } })
  for (const job of [run, ...evaluations]) parts.queue.stop(job.id)
  const { assetId } = run
  if (assetId !== null) {
    await parts.files.exclusively(assetId, async () => {
      const asset = await parts.prisma.asset.deleteMany({ where: { id: assetId, runs: { none: {} } } })
      if (asset.count > 0) await parts.files.remove(assetId)
    })
  }
  return count > 0
}
