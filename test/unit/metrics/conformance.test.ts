/**
 * Every metric equals goldens to 1e-6: of the peers' own code where it installs, else of literal NumPy from the papers
 * (bench/conformance/metrics.py, provenance in the file). What is drawn at random is drawn here from the seed, and was given to
 * the script by the same functions (bench/conformance/metrics.ts).
 */
import { readFileSync } from 'node:fs'
import { expect, it, test } from 'vitest'
import { methodFor } from '../../../lib/methods/find.ts'
import { parseParams } from '../../../lib/methods/parse-params.ts'
import { riseKernel } from '../../../lib/metrics/image/shared/causal-curve.ts'
import { METRICS } from '../../../lib/metrics/index.ts'
import type { MetricResult } from '../../../lib/metrics/metric.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'
import { judgedImage, judgedText } from '../../helpers/metric-cases.ts'
import { METRIC_CONFORMANCE } from '../../helpers/tolerance.ts'

interface Golden {
  readonly modality: 'image' | 'text'
  readonly metric: string
  readonly params: Record<string, unknown>
  readonly by: string
  /** -1: of the attribution turned over. */
  readonly sign?: number
  readonly value: number
  readonly curve?: { readonly share: number[]; readonly value: number[] }
}
const folder = new URL('../../fixtures/conformance/metrics/', import.meta.url)
const { kernel, rows } = JSON.parse(readFileSync(new URL('goldens.json', folder), 'utf8')) as {
  readonly kernel: number[][]
  readonly rows: readonly Golden[]
}

async function judge({ modality, metric: id, params: given, sign = 1 }: Golden): Promise<MetricResult> {
  const metric = methodFor(METRICS, modality, id)
  if (metric === null) throw new Error(`there is no ${id}`)
  const params = parseParams(metric, given)
  if (metric.modality === 'text') return metric.run(judgedText(metric), params)
  const judged = await judgedImage(metric)
  const { data, dims } = judged.attribution
  const attribution = float32(
    data.map((value) => sign * value),
    dims,
  )
  return metric.run({ ...judged, attribution }, params)
}

function expectClose(found: number | null | undefined, golden: number | undefined): void {
  const expected = golden ?? NaN
  const bound = METRIC_CONFORMANCE * Math.max(1, Math.abs(expected))
  expect(Math.abs((found ?? NaN) - expected), `found ${found}, expected ${golden}`).toBeLessThan(bound)
}

it.each(rows)('$modality $metric $params: $by', async (golden) => {
  const found = await judge(golden)
  expectClose(found.value, golden.value)
  if (golden.curve === undefined) return
  expect(found.curve?.share.length).toBe(golden.curve.share.length)
  golden.curve.share.forEach((share, at) => expectClose(found.curve?.share[at], share))
  golden.curve.value.forEach((value, at) => expectClose(found.curve?.value[at], value))
})

test('every metric has a golden', () => {
  const named = (modality: string, id: string): string => `${modality} ${id}`
  const golden = new Set(rows.map(({ modality, metric }) => named(modality, metric)))
  expect(METRICS.map(({ modality, id }) => named(modality, id)).filter((one) => !golden.has(one))).toEqual([])
})

test("the kernel of insertion's blur is the authors'", () => {
  const side = riseKernel()
  kernel.forEach((row, y) => row.forEach((weight, x) => expectClose((side[y] ?? NaN) * (side[x] ?? NaN), weight)))
})
