/** The server's side of one worker process: gives it jobs, and ends every open job when the process ends. */
import { fork, type ChildProcess } from 'node:child_process'
import { AppError } from '../../lib/errors.ts'
import { checked, type JobHooks, type JobKind } from './kind.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

export interface WorkerOptions {
  /** The file the process runs. */
  readonly entry: string
  /** Its command line: see worker-parts.ts. */
  readonly args: readonly string[]
  readonly execArgv: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

interface Open {
  readonly noun: string
  resolve(outcome: unknown): void
  reject(error: AppError): void
  progress(fraction: number): void
}

/** How long a cancelled worker may go on before it is ended by force. */
const CANCEL_GRACE_MS = 2000

function lost(how: string, noun: string): AppError {
  return new AppError({
    code: 'WORKER_LOST',
    message: `the worker process ended (${how}) before it answered`,
    userMessage: `The process that computed this ${noun} ended unexpectedly (${how}), perhaps for lack of memory. Try again, with a smaller input if it happens again.`,
  })
}

export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #open = new Map<number, Open>()
  #nextId = 1
  #alive = true
  /** Settles when the process has gone, with how it went. */
  readonly ended: Promise<string>
  /** Settles when the process has said that it is there. */
  readonly started: Promise<void>
  #start: () => void = () => undefined
  /** True from then on. */
  ready = false
  /** The exclusive job it computes now. */
  busyWith: string | null = null
  /** How many jobs it does that share it, or is about to. */
  sharing = 0

  constructor(options: WorkerOptions) {
    this.#child = fork(options.entry, [...options.args], {
      serialization: 'advanced',
      execArgv: [...options.execArgv],
      ...(options.env === undefined ? {} : { env: options.env }),
      // Its output goes to our stderr: stdout is kept for the one line with the address.
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    this.started = new Promise((resolve) => (this.#start = resolve))
    this.#child.on('message', (message) => this.#receive(message as FromWorker))
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#alive = false
        for (const open of this.#open.values()) open.reject(lost(how, open.noun))
        this.#open.clear()
        resolve(how)
      }
      this.#child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
      this.#child.once('error', (error) => end(error.message))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get alive(): boolean {
    return this.#alive
  }

  /** @throws AppError CANCELLED, WORKER_LOST, BAD_RESULT naming the field of the outcome, or what the worker raised */
  async run<P, O>(kind: JobKind<P, O>, payload: P, { signal, progress }: JobHooks): Promise<O> {
    const id = this.#nextId++
    let force: NodeJS.Timeout | undefined
    const cancel = (): void => {
      this.#send({ type: 'cancel', id })
      force = setTimeout(() => this.kill(), CANCEL_GRACE_MS)
    }
    try {
      const answer = new Promise<unknown>((resolve, reject) => {
        if (!this.#alive) {
          reject(lost('it had ended already', kind.noun))
          return
        }
        this.#open.set(id, { noun: kind.noun, resolve, reject, progress })
        this.#send({ type: 'run', id, kind: kind.id, payload })
      })
      if (signal.aborted) cancel()
      else signal.addEventListener('abort', cancel, { once: true })
      return checked(kind.outcome, await answer, `What the worker answered to the ${kind.id} job`, 'BAD_RESULT')
    } catch (error) {
      if (signal.aborted)
        throw new AppError({ code: 'CANCELLED', message: `The ${kind.noun} was cancelled.`, cause: error })
      throw error
    } finally {
      clearTimeout(force)
      signal.removeEventListener('abort', cancel)
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #send(message: ToWorker): void {
    // A process that is going away loses the message; its 'exit' then ends the question.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready') {
      this.ready = true
      this.#start()
      return
    }
    const open = this.#open.get(message.id)
    if (open === undefined) return
    if (message.type === 'progress') {
      open.progress(message.fraction)
      return
    }
    this.#open.delete(message.id)
    if (message.type === 'failed') open.reject(AppError.fromJSON(message.error))
    else open.resolve(message.outcome)
  }
}
