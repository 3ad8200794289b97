/** The stored bytes behind a run's pictures. */
import { AppError } from '../../lib/errors.ts'
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

/** @throws AppError NOT_FOUND while the run has no result */
export async function readAttribution(parts: Pick<Parts, 'prisma'>, run: Run): Promise<StoredAttribution> {
  const result = await parts.prisma.result.findUnique({
    where: { runId: run.id },
    select: { attribution: true, detail: true },
  })
  if (result === null)
    throw new AppError({ code: 'NOT_FOUND', message: `This run has no map: it is ${run.status.toLowerCase()}.` })
  return { detail: JSON.parse(result.detail) as StoredDetail, values: floatsOf(result.attribution) }
}
