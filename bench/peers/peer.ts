/** A peer in a Python process of its own, which sleeps while it is not asked: see `peer.py` for what it answers. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import type { Contestant } from '../measure.ts'

const SCRIPT = join(import.meta.dirname, 'peer.py')

export type PeerInput =
  | { readonly image: string; readonly shape: readonly number[]; readonly target: number }
  | { readonly ids: readonly number[]; readonly baseline: readonly number[]; readonly target: number }

/** Keyword arguments of the peer's method. */
export type PeerOptions = Readonly<Record<string, number | null>>

type Fields = Readonly<Record<string, unknown>>

/** @throws Error with what the peer said, when it is no answer. */
export function parseAnswer(line: string): Fields {
  let answer: unknown
  try {
    answer = JSON.parse(line)
  } catch {
    throw new Error(`the peer answered no JSON: ${line.slice(0, 200)}`)
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw new Error(`the peer answered no object: ${line.slice(0, 200)}`)
  const fields = answer as Fields
  const { error } = fields
  if (error !== undefined)
    throw new Error(`the peer failed: ${typeof error === 'string' ? error : JSON.stringify(error)}`)
  return fields
}

/** @throws Error where the field is not there or holds anything but finite numbers. */
export function numbersIn(answer: Fields, field: string): readonly number[] {
  const values = answer[field]
  if (Array.isArray(values) && values.every((value) => typeof value === 'number' && Number.isFinite(value)))
    return values as number[]
  throw new Error(`the peer's "${field}" is no list of numbers: ${JSON.stringify(values ?? null).slice(0, 200)}`)
}

export class Peer {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #lines: AsyncIterator<string>
  readonly #folder: string
  #said = ''
  #answers = 0

  /**
   * @param python interpreter with the packages of `requirements.txt`
   * @param folder for files that pass between the two
   */
  constructor(python: string, threads: number, folder: string) {
    this.#folder = folder
    this.#child = spawn(python, [SCRIPT, '--threads', String(threads)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, OMP_NUM_THREADS: String(threads), TQDM_DISABLE: '1', PYTHONDONTWRITEBYTECODE: '1' },
    })
    // A peer that dies is noticed by the missing answer, in #ask.
    this.#child.on('error', (error) => (this.#said = error.message))
    this.#child.stdin.on('error', () => undefined)
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-2000)))
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async #ask(request: Fields): Promise<Fields> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const line = await this.#lines.next()
    if (line.done === true) throw new Error(`the peer ended without an answer. It said: ${this.#said.trim()}`)
    return parseAnswer(line.value)
  }

  /** Package -> version. */
  async versions(): Promise<Readonly<Record<string, string>>> {
    return (await this.#ask({ do: 'versions' })) as Readonly<Record<string, string>>
  }

  async exportDistilbert(path: string): Promise<void> {
    await this.#ask({ do: 'export-distilbert', path })
  }

  async load(model: string, path: string): Promise<void> {
    await this.#ask({ do: 'load', model, path })
  }

  /** Says what is explained from now on, and gives the logits for it. */
  async input(model: string, input: PeerInput): Promise<readonly number[]> {
    return numbersIn(await this.#ask({ do: 'input', model, input }), 'logits')
  }

  /** The peer's own clock around its own call; what passes between the processes is not counted. */
  contestant(model: string, method: string, options: PeerOptions = {}): Contestant {
    return async (calls) => numbersIn(await this.#ask({ do: 'run', model, method, calls, options }), 'milliseconds')
  }

  /** What the last call of that method gave. */
  async answer(model: string, method: string, options: PeerOptions = {}): Promise<FloatTensor> {
    const path = join(this.#folder, `answer-${this.#answers++}.f32`)
    const dims = numbersIn(await this.#ask({ do: 'answer', model, method, options, path }), 'shape')
    const bytes = await readFile(path)
    return float32(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)), dims)
  }

  close(): void {
    this.#child.stdin.end()
    this.#child.kill()
  }
}
