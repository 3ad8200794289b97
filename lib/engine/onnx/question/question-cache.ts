/** Compiled questions, kept by their plan and bounded by memory: the same question on another input compiles nothing. */
import type { InferenceSession } from 'onnxruntime-node'
import { keyOf } from '../../formula.ts'
import { compileQuestion, type CompiledGraph, type QuestionPlan } from './compile.ts'
import { badModel, type Graph } from '../graph/graph.ts'
import { createSession, type SessionSettings } from '../run/runtime.ts'
import { byteCount } from '../graph/stored.ts'

export interface CompiledQuestion extends Omit<CompiledGraph, 'graph'> {
  readonly session: InferenceSession
  /** Of the weights in it: what the session holds, roughly. */
  readonly bytes: number
}

interface Entry {
  readonly question: Promise<CompiledQuestion>
  bytes: number
  compiled: boolean
  users: number
  evicted: boolean
}

export interface CacheSettings extends SessionSettings {
  /** Serialised bytes kept at most; the newest question always stays. */
  readonly cacheBytes: number
}

function keyOfPlan(plan: QuestionPlan): string {
  const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort()
  const { replaced, read, of, wrt, rules, formulas } = plan
  return keyOf([sorted(replaced), sorted(read), sorted(of), sorted(wrt), rules.key, formulas])
}

/** Least recently used first out; a session in use is released when its last user is done. */
export class QuestionCache {
  readonly #graphFor: (plan: QuestionPlan) => Promise<Graph>
  readonly #settings: CacheSettings
  readonly #entries = new Map<string, Entry>()
  /** Graphs compiled so far: a test of reuse reads it. */
  compiled = 0

  /** @param graphFor the model's graph, as a question needs it written */
  constructor(graphFor: (plan: QuestionPlan) => Promise<Graph>, settings: CacheSettings) {
    this.#graphFor = graphFor
    this.#settings = settings
  }

  /** Lends the compiled question for the time of `use`. */
  async with<T>(plan: QuestionPlan, use: (question: CompiledQuestion) => Promise<T>): Promise<T> {
    const key = keyOfPlan(plan)
    const entry = this.#entries.get(key) ?? {
      question: this.#compile(plan),
      bytes: 0,
      compiled: false,
      users: 0,
      evicted: false,
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users++
    try {
      const question = await entry.question
      entry.bytes = question.bytes
      entry.compiled = true
      this.#trim()
      return await use(question)
    } catch (thrown) {
      // A question that does not compile is not remembered.
      if (!entry.compiled && this.#entries.get(key) === entry) this.#entries.delete(key)
      throw thrown
    } finally {
      entry.users--
      this.#releaseIfDone(entry)
    }
  }

  async #compile(plan: QuestionPlan): Promise<CompiledQuestion> {
    const { graph, ...names } = compileQuestion(await this.#graphFor(plan), plan)
    this.compiled++
    const session = await createSession(graph, this.#settings).catch((cause: unknown) => {
      throw badModel(`ONNX Runtime refuses it: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    })
    let bytes = 0
    for (const constant of graph.constants.values()) bytes += byteCount(constant)
    return { ...names, session, bytes }
  }

  #trim(): void {
    let total = [...this.#entries.values()].reduce((sum, entry) => sum + entry.bytes, 0)
    for (const [key, entry] of [...this.#entries].slice(0, -1)) {
      if (total <= this.#settings.cacheBytes) return
      this.#entries.delete(key)
      entry.evicted = true
      total -= entry.bytes
      this.#releaseIfDone(entry)
    }
  }

  #releaseIfDone(entry: Entry): void {
    if (!entry.evicted || entry.users > 0) return
    void entry.question.then(
      ({ session }) => session.release(),
      () => undefined,
    )
  }

  /** Releases every session that is not in use now, and the others when they are done. */
  async dispose(): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    for (const entry of entries) {
      entry.evicted = true
      this.#releaseIfDone(entry)
    }
    await Promise.allSettled(entries.map((entry) => entry.question))
  }
}
