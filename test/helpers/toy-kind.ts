/** A kind of job that Limelight does not have: how often each byte value occurs in an asset. One file, as any kind is. */
import { z } from 'zod'
import { AppError } from '../../lib/errors.ts'
import { sha256 } from '../../lib/models/model-ref.ts'
import { jobKind } from '../../server/jobs/kind.ts'

const payload = z.strictObject({
  asset: sha256,
  /** What it answers wrongly on purpose. */
  lie: z.boolean(),
})
const outcome = z.strictObject({
  /** [256] */
  counts: z.instanceof(Uint32Array),
  /** Of the process that counted. */
  pid: z.int(),
})

export const toyKind = jobKind<z.infer<typeof payload>, z.infer<typeof outcome>>({
  id: 'histogram',
  noun: 'histogram',
  payload,
  outcome,
  uses: ({ asset }) => [asset],
  async handle({ asset, lie }, { assets }, { signal, progress }) {
    progress(0.25)
    const bytes = await assets.read(asset)
    if (signal.aborted) throw new AppError({ code: 'CANCELLED', message: 'cancelled' })
    const counts = new Uint32Array(256)
    for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1
    return { counts, pid: lie ? 0.5 : process.pid }
  },
})
