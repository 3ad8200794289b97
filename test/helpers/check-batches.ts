/** A row of the gradient-check table, asked of one model at batch 3 and at batch 1. */
import { expect } from 'vitest'
import type { FloatTensor, Tensor } from '../../lib/tensor/tensor.ts'
import type { Row } from '../fixtures/onnx/operator-rows.ts'
import { checkGradient } from './check-gradient.ts'
import { cotangentFor, feedsOf, type RowCase } from './row-model.ts'
import { FINITE_DIFFERENCE, FLOAT32, relativeDifference } from './tolerance.ts'

const BATCH = 3

/** Row `index` of the batch: [N, ...rest] -> [1, ...rest]. */
function rowOf({ type, dims, data }: Tensor, index: number): Tensor {
  const size = data.length / (dims[0] ?? 1)
  return { type, dims: [1, ...dims.slice(1)], data: data.slice(index * size, (index + 1) * size) }
}

/**
 * Finite differences at batch 3 and at batch 1, and the answer for three rows equals three answers for one row: beside each
 * other where an input has a row for each, summed where all rows share the input.
 */
export async function checkBatches(row: Row, { model, wrt, output }: RowCase): Promise<void> {
  const batched = new Set(row.batch.map((index) => `in${index}`))
  const feeds = feedsOf(row.inputsAt(BATCH))
  const whole = { model, wrt, output, feeds }
  const of = await cotangentFor(row, whole)
  const cotangent = of[output] as FloatTensor
  expect(cotangent.dims[0], `${row.name}: the leading axis is no batch; say "batch: false"`).toBe(BATCH)
  const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt } })
  const singles = Array.from({ length: BATCH }, (_, index) => ({
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([name, feed]) => [name, batched.has(name) ? rowOf(feed, index) : feed]),
    ),
    of: { [output]: rowOf(cotangent, index) as FloatTensor },
  }))
  const answers: Readonly<Record<string, FloatTensor>>[] = []
  for (const single of singles)
    answers.push((await model.ask({ feeds: single.feeds, read: [], gradient: { of: single.of, wrt } })).gradients)
  for (const name of wrt) {
    const parts = answers.map((answer) => [...(answer[name]?.data ?? [])])
    const expected = batched.has(name)
      ? parts.flat()
      : (parts[0] ?? []).map((_, at) => parts.reduce((sum, part) => sum + (part[at] ?? NaN), 0))
    expect(
      relativeDifference((gradients[name] as FloatTensor).data, expected),
      `${row.name} ${name}: three rows at once against one by one`,
    ).toBeLessThan(FLOAT32)
  }
  const [first] = singles
  for (const one of [{ feeds, of }, ...(first ? [first] : [])]) {
    const check = await checkGradient(model, one.feeds, wrt, one.of)
    expect(check.error, JSON.stringify(check)).toBeLessThan(FINITE_DIFFERENCE)
  }
}
