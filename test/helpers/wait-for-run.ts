import type { Run } from '../../prisma/generated/client.ts'
import { watchRun } from '../../server/services/watch-run.ts'
import type { TestServer } from './server.ts'

/** Waits, by the run's own events, until it is as wanted. */
export async function untilRun(
  server: TestServer,
  id: string,
  wanted: (run: Run, progress: number) => boolean,
): Promise<Run> {
  for await (const run of watchRun(server.parts, id)) {
    const progress = (await server.parts.news.progress([id])).get(id) ?? 0
    if (wanted(run, progress)) return run
  }
  throw new Error(`run ${id} ended without becoming what was wanted`)
}

/** Waits until a slow worker is in the middle of the run, for the given time. @returns the worker's process id */
export async function untilInTheMiddle(server: TestServer, id: string, attempt = 1): Promise<number> {
  await untilRun(server, id, (run, progress) => run.attempts === attempt && progress === 0.5)
  const pid = server.pool.pidOf(id)
  if (pid === undefined) throw new Error(`nobody computes run ${id}`)
  return pid
}
