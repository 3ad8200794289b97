/** The worker's side of the protocol: answers what arrives on the channel with the functions it is given. */
import { AppError } from '../../lib/errors.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { ExplainJob, ExplainOutcome, FromWorker, ModelDescription, ToWorker } from './protocol.ts'

export interface JobHooks {
  readonly signal: AbortSignal
  progress(fraction: number): void
}

export interface WorkerParts {
  describe(model: CatalogueEntry): Promise<ModelDescription>
  explain(job: ExplainJob, hooks: JobHooks): Promise<ExplainOutcome>
}

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

/** Serves until the parent goes away, however it goes. */
export function serve(parts: WorkerParts): void {
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
      if (message.type === 'describe') {
        send({ type: 'described', id, description: await parts.describe(message.model) })
        return
      }
      const cancel = new AbortController()
      cancels.set(id, cancel)
      const progress = throttled((fraction) => send({ type: 'progress', id, fraction }))
      send({ type: 'explained', id, outcome: await parts.explain(message.job, { signal: cancel.signal, progress }) })
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
