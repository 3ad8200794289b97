/**
 * Concepts of a layer: what its cells, or crops of the picture, are sums of.
 *
 * Letters: N crops, C channels of the layer, h x w its extent, R concepts.
 */
import { add, given, mean, multiply, relu, value, type Formula } from '../../../engine/formula.ts'
import { float32, zeros, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import { answered, answersInBatches, rowsWithin } from '../../shared/batches.ts'
import { amountsOf } from '../../shared/factorisation.ts'
import type { MadeRows } from '../../shared/made-rows.ts'
import { resampled, type Crops } from './resampling.ts'

/** What a batch may take, of crops as of rebuilt layers. */
export const MEMORY = { bytes: 256 * 2 ** 20, mostRows: 16, gradient: false }

/** The layer's cells, or crops, one each: [N, C, places] to N rows [C], without what is below zero. */
function cellsOf({ dims: [, channels = 0, ...extent], data }: FloatTensor): readonly Float64Array[] {
  const places = extent.reduce((product, side) => product * side, 1)
  return Array.from({ length: data.length / channels }, (_, at) => {
    const start = Math.floor(at / places) * channels * places + (at % places)
    return Float64Array.from({ length: channels }, (__, k) => Math.max(0, data[start + k * places] ?? Number.NaN))
  })
}

/** Each crop's mean activation, [N][C]. */
export async function cropActivations(
  context: ImageContext,
  tap: string,
  crops: Crops,
): Promise<readonly Float64Array[]> {
  const { model, input, picture } = context
  const rows = { total: crops.total, perQuestion: rowsWithin(model, MEMORY) }
  const asking = { ...context, progress: (share: number) => context.progress(share / 2) }
  const answers = answersInBatches(asking, rows, (batch) => ({
    read: [],
    formulas: {
      shared: { picture },
      perRow: crops.perRow(batch),
      inputs: { [input]: resampled(given('picture')) },
      outputs: { cells: mean(relu(value(tap)), [2, 3]) },
    },
  }))
  const found: Float64Array[] = []
  for await (const { answer } of answers) found.push(...cellsOf(answered(answer.computed, 'cells')))
  return found
}

export interface RebuiltLayer {
  /** Share of the layer’s sum of squares, 0..1, that all concepts together rebuild; 1 where the layer is zero. */
  readonly kept: number
  readonly empty: boolean
  /** The concepts' maps, each brought to a largest value of 1, added up with these weights, [h w]. */
  readonly drawn: (weights: readonly number[]) => Float32Array
  /** The layer made of the concepts, each times a factor, a row for each list of factors: [N, C, h, w]. */
  readonly rows: (factors: readonly (readonly number[])[]) => Pick<MadeRows, 'at' | 'shared' | 'perRow' | 'total'>
}

/**
 * @param map of the layer, [1, C, h, w]
 * @param parts the concepts, [R][C]
 */
export function rebuiltOf(map: FloatTensor, parts: readonly Float64Array[]): RebuiltLayer {
  const [, channels = 0, height = 0, width = 0] = map.dims
  const cells = cellsOf(map)
  const amounts = amountsOf(cells, parts) // [R][h w]
  let [missed, all] = [0, 0]
  cells.forEach((cell, at) =>
    cell.forEach((one, channel) => {
      const rebuilt = parts.reduce((sum, part, r) => sum + (part[channel] as number) * (amounts[r]?.[at] as number), 0)
      missed += (one - rebuilt) ** 2
      all += one ** 2
    }),
  )
  return {
    kept: all > 0 ? 1 - missed / all : 1,
    empty: !(all > 0),
    drawn(weights) {
      const total = new Float64Array(cells.length)
      amounts.forEach((own, r) => {
        const largest = own.reduce((most, one) => Math.max(most, one), 0)
        const weight = largest > 0 ? (weights[r] ?? 0) / largest : 0
        own.forEach((one, at) => (total[at] = (total[at] as number) + weight * one))
      })
      return Float32Array.from(total)
    },
    // A concept times its factor is a number a channel: the layer itself is made where it is fed.
    rows: (factors) => ({
      total: factors.length,
      at: parts
        .map((_, r) => multiply(given(`concept ${r}`), given(`amount ${r}`)))
        .reduce<Formula>((sum, one) => add(sum, one), given('nothing')),
      shared: {
        nothing: zeros([1, channels, height, width]),
        ...Object.fromEntries(
          amounts.map((own, r) => [`amount ${r}`, float32(Float32Array.from(own), [1, 1, height, width])]),
        ),
      },
      perRow({ first, count }) {
        const own = factors.slice(first, first + count)
        return Object.fromEntries(
          parts.map((part, r) => {
            const data = new Float32Array(count * channels)
            own.forEach((factor, row) =>
              data.set(
                part.map((one) => one * (factor[r] ?? 0)),
                row * channels,
              ),
            )
            return [`concept ${r}`, float32(data, [count, channels, 1, 1])] as const
          }),
        )
      },
    }),
  }
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

/**
 * @param importance of each concept, the largest first
 * @param kept share of the layer that they rebuild
 * @param negative whether it has values below zero
 */
export function conceptsFound(importance: readonly number[], kept: number, negative: boolean): Diagnosis {
  const listed = importance.map((one, at) => `${at + 1}: ${percent(one)}`).join(', ')
  return {
    code: 'CONCEPTS',
    severity: kept < 0.5 || negative ? 'warning' : 'info',
    message: `Concepts by importance (the share of the score’s variation each takes part in, which may add up to more than all): ${listed}. Together they rebuild ${percent(kept)} of the layer${kept < 0.5 ? ': much of it is in none of them. Ask for more concepts' : ''}.${negative ? ' Values of the layer below zero were left out: a layer behind a ReLU has none.' : ''}`,
  }
}
