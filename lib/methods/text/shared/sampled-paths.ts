/**
 * The expectation, over baselines and over points of the straight paths from them, of gradient times way (Erion et al. 2021,
 * 1906.10670, equation 3): what GradientSHAP and Expected Gradients draw samples of. Rows are made a batch at a time, and of
 * each only T numbers are kept. Letters: B rows of a batch, T tokens, E embedding size.
 */
import { add, given, multiply, subtract, sum } from '../../../engine/formula.ts'
import type { Target } from '../../../target/target.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import { batchesOf, type Batch } from '../../shared/batches.ts'
import { randomStream } from '../../shared/random.ts'
import { batchSize, gradientsAt } from './embedding.ts'

/** Paths of a batch: [B, T, E] each. */
export interface Paths {
  readonly from: FloatTensor
  readonly to: FloatTensor
}

interface Samples {
  readonly total: number
  /** T, with the padding of a model that reads a fixed length. */
  readonly tokens: number
  /** Share of its way at which each sample lies, [total]. */
  readonly alphas: readonly number[]
  readonly paths: (batch: Batch) => Paths | Promise<Paths>
}

/** @returns the mean over the samples of <gradient there, way> per token, [T] */
export async function meanOverPaths(context: TextContext, samples: Samples, target: Target): Promise<Float64Array> {
  const { total, tokens, alphas, paths } = samples
  const scores = new Float64Array(tokens)
  const way = subtract(given('to'), given('from'))
  for (const batch of batchesOf({ total, perQuestion: batchSize(tokens) })) {
    const { from, to } = await paths(batch)
    const alpha = float32(alphas.slice(batch.first, batch.first + batch.count), [batch.count, 1, 1])
    const { computed } = await gradientsAt(context, batch.count, target, {
      perRow: { from, to, alpha },
      at: add(given('from'), multiply(given('alpha'), way)),
      compute: (gradient) => sum(multiply(gradient, way), [2]), // [B, T, 1]
    })
    computed.data.forEach((one, at) => (scores[at % tokens] = (scores[at % tokens] ?? 0) + one / total))
    context.progress((batch.first + batch.count) / total)
  }
  return scores
}

/** Uniform on 0..1, one in each of `total` equal parts: the same expectation as independent ones, with less spread. */
export function stratifiedShares(seed: number, total: number): readonly number[] {
  return Array.from({ length: total }, (_, at) => (at + randomStream(seed, 'share of the way', at).uniform()) / total)
}
