/** Workers that are given up, and which one is taken. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { listModels } from '../../../lib/models/catalogue.ts'
import { WorkerPool } from '../../../server/jobs/worker-pool.ts'
import { createLogger } from '../../../server/logger.ts'
import { WORKER } from '../../../server/paths.ts'
import { SLOW_WORKER } from '../../helpers/server.ts'

let pool: WorkerPool | undefined
afterEach(async () => {
  await pool?.close()
  pool = undefined
})

test('a model that never finishes loading is given up with its worker; the others go on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'limelight-pool-'))
  try {
    const [endless, other] = await listModels(resolve('models'))
    if (endless === undefined || other === undefined) throw new Error('two models')
    pool = new WorkerPool({
      entry: SLOW_WORKER,
      execArgv: WORKER.execArgv,
      env: { ...process.env, LIMELIGHT_TEST_GATE: join(folder, 'gate'), LIMELIGHT_TEST_ENDLESS: endless.id },
      size: 2,
      // Long enough for the others, which are asked before it is over.
      describeMs: 3000,
      log: createLogger('silent'),
    })
    const stuck = pool.describe(endless)
    // Whoever comes next is not put behind it.
    expect(await pool.describe(other)).toMatchObject({ engine: { name: 'onnx' } })
    await expect(stuck).rejects.toMatchObject({
      code: 'BAD_MODEL',
      userMessage: expect.stringMatching(/could not be loaded within 3 seconds/) as unknown,
    })
    expect(await pool.describe(other)).toMatchObject({ engine: { name: 'onnx' } })
    expect(pool.status().replaced).toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
