/**
 * The expectation, over baselines and over points of the straight paths from them, of gradient times way (Erion et al. 2021,
 * 1906.10670, equation 3): what GradientSHAP and Expected Gradients draw samples of. Rows are made a batch at a time, and of
 * each only T numbers are kept. Letters: B rows of a batch, T tokens, E embedding size.
 */
import { add, given, gradient, multiply, subtract, sum } from '../../../engine/formula.ts'
import type { Target } from '../../../target/target.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { TextContext } from '../../context.ts'
import type { TextResult } from '../../method.ts'
import { answered, batchesOf, type Batch } from '../../shared/batches.ts'
import { saturation, zeroGradient } from '../../shared/diagnoses.ts'
import { randomStream } from '../../shared/random.ts'
import { readRows, repeated, tapIn, type Reading } from '../../shared/reading.ts'
import { batchSize, ofTokens } from './embedding.ts'

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
  const { id } = tapIn(context)
  const way = subtract(given('to'), given('from'))
  const it: Reading = {
    target,
    outputs: { scores: sum(multiply(gradient(id), way), [2]) }, // [N, T, 1]
    attribution: (outputs) => answered(outputs, 'scores'),
  }
  for (const batch of batchesOf({ total, perQuestion: batchSize(tokens) })) {
    const { from, to } = await paths(batch)
    const { first, count } = batch
    const alpha = float32(alphas.slice(first, first + count), [count, 1, 1])
    const { outputs } = await readRows(
      context,
      { it },
      {
        targets: Array.from({ length: count }, () => target),
        feeds: repeated(context.feeds, count),
        made: { inputs: { [id]: add(given('from'), multiply(given('alpha'), way)) }, perRow: { from, to, alpha } },
      },
    )
    for (const row of outputs['it'] ?? [])
      it.attribution(row).data.forEach((one, at) => (scores[at] = (scores[at] ?? 0) + one / total))
    context.progress((first + count) / total)
  }
  return scores
}

/** Uniform on 0..1, one in each of `total` equal parts: the same expectation as independent ones, with less spread. */
function stratifiedShares(seed: number, total: number): readonly number[] {
  return Array.from({ length: total }, (_, at) => (at + randomStream(seed, 'share of the way', at).uniform()) / total)
}

/** The mean over the samples, at shares of the way that the seed draws, as a method's result. @param logits of the text itself, [K] */
export async function explainedByPaths(
  context: TextContext,
  samples: Omit<Samples, 'alphas'>,
  target: Target,
  logits: FloatTensor,
): Promise<TextResult> {
  const alphas = stratifiedShares(context.seed, samples.total)
  const scores = await meanOverPaths(context, { ...samples, alphas }, target)
  return {
    kind: 'text',
    scores: ofTokens(context, float32(Float32Array.from(scores), [samples.tokens])),
    wordReduction: 'sum',
    logits,
    completeness: null,
    diagnoses: [
      ...zeroGradient('text', Math.max(...scores.map(Math.abs))),
      ...saturation('text', logits.data, target, context.head.link),
    ],
  }
}
