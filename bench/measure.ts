/**
 * Ratios within one run: contestants are timed in turn, so that a slow moment of a shared machine hits all of them. Each is
 * called in blocks with a pause before, and a block's first call is not counted: the thread pools of two libraries spin for a
 * while after their work and would slow each other down.
 */
import { setTimeout as pause } from 'node:timers/promises'

/** Calls something so many times and answers the milliseconds of each call. */
export type Contestant = (calls: number) => Promise<readonly number[]>

export interface Pace {
  readonly rounds: number
  /** Counted calls a block. */
  readonly calls: number
  /** Uncounted calls at the start of a block: 1, or 0 for calls that take seconds. */
  readonly warmUps: number
}

const SHORT = { calls: 3, warmUps: 1 }
const PAUSE_MS = 100

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  const lower = sorted[sorted.length % 2 === 1 ? middle : middle - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('median of nothing')
  return (lower + upper) / 2
}

async function milliseconds(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await call()
  return performance.now() - start
}

/** A contestant in this process. */
export function calling(call: () => Promise<unknown>): Contestant {
  return async (calls) => {
    const times: number[] = []
    for (let count = 0; count < calls; count++) times.push(await milliseconds(call))
    return times
  }
}

/** Median milliseconds of each contestant: `rounds` blocks of each, in turn. */
export async function inTurn<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  { rounds, calls, warmUps }: Pace,
): Promise<Readonly<Record<Name, number>>> {
  const entries = Object.entries<Contestant>(contestants)
  const times = new Map<string, number[]>(entries.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const [name, contestant] of entries) {
      await pause(PAUSE_MS)
      if (warmUps > 0) await contestant(warmUps)
      times.get(name)?.push(...(await contestant(calls)))
    }
  const medians = [...times].map(([name, all]) => [name, median(all)])
  return Object.fromEntries(medians) as Record<Name, number>
}

export interface Ratio {
  /** median(a) / median(b) */
  readonly ratio: number
  readonly aMs: number
  readonly bMs: number
  readonly rounds: number
}

/** Times `a` and `b` in blocks of three calls in turn, `rounds` blocks each. */
export async function compare(a: () => Promise<unknown>, b: () => Promise<unknown>, rounds: number): Promise<Ratio> {
  await a()
  await b()
  const measured = await inTurn({ a: calling(a), b: calling(b) }, { rounds, ...SHORT })
  return { ratio: measured.a / measured.b, aMs: measured.a, bMs: measured.b, rounds }
}
