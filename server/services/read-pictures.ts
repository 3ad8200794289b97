/** The stored bytes behind a run's pictures. */
import { AppError } from '../../lib/errors.ts'
import { mapCount, storedMaps } from '../../lib/methods/maps-asked.ts'
import type { Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'
import { floatsOf } from '../storage/float-bytes.ts'
import type { StoredDetail } from '../storage/stored-detail.ts'

/** The upright copy of a picture. @throws AppError NOT_FOUND */
export async function readDisplay(parts: Pick<Parts, 'prisma' | 'files'>, assetId: string): Promise<Uint8Array> {
  const asset = await parts.prisma.asset.findUnique({ where: { id: assetId }, select: { id: true } })
  if (asset === null) throw new AppError({ code: 'NOT_FOUND', message: 'There is no such picture.' })
  return parts.files.readDisplay(asset.id)
}

export interface StoredAttribution {
  readonly detail: StoredDetail
  readonly values: Float32Array
}

/**
 * @param map its place among the maps of the run; 0 is the first, and the only one of a run that was not asked for several
 * @throws AppError NOT_FOUND while the run has no result, and for a map that it does not have
 */
export async function readAttribution(parts: Pick<Parts, 'prisma'>, run: Run, map = 0): Promise<StoredAttribution> {
  const select = { attribution: true, detail: true } as const
  const found =
    map === 0
      ? await parts.prisma.result.findUnique({ where: { runId: run.id }, select })
      : await parts.prisma.runMap.findUnique({ where: { runId_position: { runId: run.id, position: map } }, select })
  if (found !== null) return { detail: JSON.parse(found.detail) as StoredDetail, values: floatsOf(found.attribution) }
  if (run.status !== 'DONE')
    throw new AppError({ code: 'NOT_FOUND', message: `This run has no map: it is ${run.status.toLowerCase()}.` })
  const count = run.maps === null ? 1 : mapCount(storedMaps(run.maps))
  throw new AppError({
    code: 'NOT_FOUND',
    message: `This run has ${count === 1 ? 'one map, number 0' : `${count} maps, numbered from 0`}; there is no map ${map}.`,
    details: { map, count },
  })
}
