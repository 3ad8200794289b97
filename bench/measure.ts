/** Ratios within one run: two calls are timed in turn, round by round, so that a slow moment of a shared machine hits both. */

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

/** Times `a` and `b` in turn after two rounds to warm up. */
export async function compare(a: () => Promise<unknown>, b: () => Promise<unknown>, rounds: number): Promise<Ratio> {
  for (let warmUp = 0; warmUp < 2; warmUp++) {
    await a()
    await b()
  }
  const as: number[] = []
  const bs: number[] = []
  for (let round = 0; round < rounds; round++) {
    as.push(await milliseconds(a))
    bs.push(await milliseconds(b))
  }
  const [aMs, bMs] = [median(as), median(bs)]
  return { ratio: aMs / bMs, aMs, bMs, rounds }
}
