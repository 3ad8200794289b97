/** Workers that are given up, and which one is taken. */
import { classTarget } from '../../../lib/target/target.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { listModels } from '../../../lib/models/catalogue.ts'
import { refOf } from '../../../lib/models/model-ref.ts'
import { describedBy } from '../../../server/jobs/describe.ts'
import { explainKind } from '../../../server/jobs/kinds/explain.ts'
import { workerArguments } from '../../../server/jobs/worker-parts.ts'
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
      args: workerArguments({ data: folder, models: [resolve('models')] }),
      size: 2,
      // Long enough for the others, which are asked before it is over.
      silentMs: { describe: 6000 },
      log: createLogger('silent'),
    })
    const describe = describedBy(pool)
    const stuck = describe(endless)
    // Whoever comes next is not put behind it.
    expect(await describe(other)).toMatchObject({ engine: { name: 'onnx' } })
    await expect(stuck).rejects.toMatchObject({
      code: 'BAD_MODEL',
      userMessage: expect.stringMatching(/could not be loaded within 6 seconds/) as unknown,
    })
    expect(await describe(other)).toMatchObject({ engine: { name: 'onnx' } })
    expect(pool.status().replaced).toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a run that shows no progress for too long is given up with its worker, and the next one is computed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'limelight-pool-'))
  try {
    const [model] = (await listModels(resolve('models'))).filter((one) => one.id === 'reviews-minilm')
    if (model === undefined) throw new Error('no model')
    const gate = join(folder, 'gate')
    pool = new WorkerPool({
      entry: SLOW_WORKER,
      execArgv: WORKER.execArgv,
      env: { ...process.env, LIMELIGHT_TEST_GATE: gate, LIMELIGHT_TEST_STUBBORN: '1' },
      args: workerArguments({ data: folder, models: [resolve('models')] }),
      size: 1,
      silentMs: { explain: 3000 },
      log: createLogger('silent'),
    })
    const seen: number[] = []
    const run = (runId: string) =>
      pool?.run(
        explainKind,
        {
          id: runId,
          payload: {
            model: refOf(model),
            method: { id: 'occlusion', version: 1 },
            params: {},
            target: classTarget(null),
            seed: 0,
            input: { kind: 'text', text: 'Good.' },
          },
        },
        { signal: new AbortController().signal, progress: (fraction) => seen.push(fraction) },
      )
    await expect(run('stuck')).rejects.toMatchObject({
      code: 'BAD_MODEL',
      userMessage: expect.stringMatching(/took more than 0\.05 minutes, so it was given up/) as unknown,
    })
    await writeFile(gate, '')
    expect(await run('next')).toMatchObject({ engine: { name: 'onnx' } })
    expect(seen).toEqual([0.5, 0.5])
    expect(pool.status().replaced).toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
