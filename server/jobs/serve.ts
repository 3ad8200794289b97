/** The worker's side of the protocol: does what arrives on the channel with the kinds of job it is given. */
import { AppError } from '../../lib/errors.ts'
import { listed } from '../../lib/suggest.ts'
import { checked, type JobHooks, type JobKind, type WorkerParts } from './kind.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

/** Progress is worth a message ten times a second at most. */
const PROGRESS_EVERY_MS = 100

function throttled(send: (fraction: number) => void): (fraction: number) => void {
  let last = Number.NEGATIVE_INFINITY
  return (fraction) => {
    const now = performance.now()
    if (now - last < PROGRESS_EVERY_MS) return
    last = now
    send(Math.min(1, Math.max(0, fraction)))
  }
}

/** Checks and computes one job. @throws AppError BAD_INPUT naming the field of the payload, or what the kind throws */
async function handle(
  kinds: readonly JobKind[],
  job: { readonly kind: string; readonly payload: unknown },
  parts: WorkerParts,
  hooks: JobHooks,
): Promise<unknown> {
  const kind = kinds.find((one) => one.id === job.kind)
  if (kind === undefined)
    throw new AppError({
      code: 'INTERNAL',
      message: `This worker does ${listed(kinds.map((one) => one.id))}, and was given a job of the kind ${job.kind}. Is it of the server's version?`,
    })
  return kind.handle(checked(kind.payload, job.payload, `The ${kind.id} job`, 'BAD_INPUT'), parts, hooks)
}

/** Serves until the parent goes away, however it goes. */
export function serve(kinds: readonly JobKind[], parts: WorkerParts): void {
  const cancels = new Map<number, AbortController>()
  const send = (message: FromWorker): void => {
    if (process.connected) process.send?.(message)
  }

  const answer = async (message: ToWorker): Promise<void> => {
    if (message.type === 'cancel') {
      cancels.get(message.id)?.abort()
      return
    }
    const { id } = message
    try {
      const cancel = new AbortController()
      cancels.set(id, cancel)
      const progress = throttled((fraction) => send({ type: 'progress', id, fraction }))
      send({ type: 'done', id, outcome: await handle(kinds, message, parts, { signal: cancel.signal, progress }) })
    } catch (thrown) {
      const error = AppError.from(thrown)
      if (error.code === 'INTERNAL' && thrown instanceof Error) process.stderr.write(`worker: ${thrown.stack ?? ''}\n`)
      send({ type: 'failed', id, error: error.toJSON() })
    } finally {
      cancels.delete(id)
    }
  }

  process.on('message', (message) => void answer(message as ToWorker))
  // Without its parent a worker has no purpose; this also holds after `kill -9` of the server.
  process.on('disconnect', () => process.exit(0))
  // Ctrl-C reaches the whole process group; the server decides when its workers end.
  process.on('SIGINT', () => undefined)
  send({ type: 'ready' })
}
