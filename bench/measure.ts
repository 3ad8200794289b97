/**
 * Ratios within one run: two calls are timed in turn, so that a slow moment of a shared machine hits both. Each is called in
 * blocks with a pause between, and a block's first call is not counted: the thread pools of two sessions spin for a while
 * after their work and would slow each other down.
 */
import { setTimeout as pause } from 'node:timers/promises'

export interface Ratio {
  /** median(a) / median(b) */
  readonly ratio: number
  readonly aMs: number
  readonly bMs: number
  readonly rounds: number
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  const lower = sorted[sorted.length % 2 === 1 ? middle : middle - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('median of nothing')
  return (lower + upper) / 2
}

export async function milliseconds(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await call()
  return performance.now() - start
}

const PAUSE_MS = 100
const CALLS_PER_BLOCK = 3

async function block(call: () => Promise<unknown>): Promise<number[]> {
  await pause(PAUSE_MS)
  await call()
  const times: number[] = []
  for (let count = 0; count < CALLS_PER_BLOCK; count++) times.push(await milliseconds(call))
  return times
}

/** Times `a` and `b` in blocks of three calls in turn, `rounds` blocks each. */
export async function compare(a: () => Promise<unknown>, b: () => Promise<unknown>, rounds: number): Promise<Ratio> {
  await a()
  await b()
  const as: number[] = []
  const bs: number[] = []
  for (let round = 0; round < rounds; round++) {
    as.push(...(await block(a)))
    bs.push(...(await block(b)))
  }
  const [aMs, bMs] = [median(as), median(bs)]
  return { ratio: aMs / bMs, aMs, bMs, rounds }
}
