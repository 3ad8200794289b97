/**
 * Model-parameter randomisation (Adebayo et al. 2018, 1810.03292): how much an attribution stays the same while more and more
 * layers, from the output on, have random weights. Cascading; compared by Spearman's rank correlation of absolute values.
 */
import { z } from 'zod'
import type { MetricResult } from '../metric.ts'
import { resultOf, undefinedResult } from './result.ts'
import { mean, spearman } from './statistics.ts'

export const randomisationParams = z.strictObject({
  steps: z.int().min(1).max(50).default(5).meta({
    title: 'Steps',
    description: 'For how many shares of the layers: 5 are 20, 40 ... 100 %. Each makes a model and explains it.',
  }),
})
export type RandomisationParams = z.infer<typeof randomisationParams>

const MPRT_PAPER = {
  title: 'Sanity Checks for Saliency Maps',
  authors: 'Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim',
  year: 2018,
  url: 'https://arxiv.org/abs/1810.03292',
}
export const LOOK_AT_MPRT_PAPER = {
  title: 'Sanity Checks Revisited: An Exploration to Repair the Model Parameter Randomisation Test',
  authors: 'Hedström, Weber, Lapuschkin, Höhne',
  year: 2024,
  url: 'https://arxiv.org/abs/2401.06465',
}

/**
 * @param own values of the judged attribution, where they are compared
 * @param at the same of the model with a share of its layers randomised
 */
export async function similarityByDepth(
  own: ArrayLike<number>,
  { steps }: RandomisationParams,
  at: (share: number) => Promise<ArrayLike<number>>,
  progress: (fraction: number) => void,
): Promise<MetricResult> {
  const absolute = Array.from(own, Math.abs)
  if (spearman(absolute, Array.from(absolute.keys())) === null)
    return undefinedResult('The attribution has the same size everywhere, so it has no order to lose.')
  const share: number[] = []
  const value: number[] = []
  for (let step = 1; step <= steps; step += 1) {
    share.push(step / steps)
    // An attribution that has become the same everywhere has no order in common with anything.
    value.push(spearman(absolute, Array.from(await at(step / steps), Math.abs)) ?? 0)
    progress(step / steps)
  }
  return resultOf(mean(value), { curve: { share, value } })
}

const BINS = 100

/** Entropy of the values' histogram over 100 bins of one width, in nats: Quantus' `discrete_entropy`. */
function histogramEntropy(values: ArrayLike<number>): number {
  const all = Array.from(values)
  const least = all.reduce((low, value) => Math.min(low, value), Infinity)
  const most = all.reduce((high, value) => Math.max(high, value), -Infinity)
  const counts = new Float64Array(BINS)
  for (const value of all) {
    const bin = most > least ? Math.min(BINS - 1, Math.floor(((value - least) / (most - least)) * BINS)) : 0
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts.reduce((sum, count) => {
    const share = count / all.length
    return share > 0 ? sum - share * Math.log(share) : sum
  }, 0)
}

/** (entropy after - entropy before) / entropy before. */
export function relativeRise(before: ArrayLike<number>, after: ArrayLike<number>): MetricResult {
  const level = histogramEntropy(before)
  if (level === 0) return undefinedResult('The attribution is the same everywhere, so nothing can rise from it.')
  return resultOf((histogramEntropy(after) - level) / level)
}

/** What both modalities say of themselves alike. */
export const MPRT = {
  id: 'mprt',
  version: 1,
  family: 'sanity',
  engine: 'onnx',
  title: 'Parameter randomisation',
  summary: 'How much the explanation stays the same while the model forgets what it learnt, from the output on.',
  meaning:
    'The layers are given random weights one group after the other, from the output to the input, and the same method explains the same class each time. The curve has Spearman’s rank correlation of absolute values with the original explanation for each share of the layers; the number is its mean. An explanation of what the model learnt must fall towards 0; one that stays near 1 explains the input and not the model.',
  misleads:
    'Random weights still pass edges and words on, and the structure of the input keeps correlations above 0 for any method: compare with the control that looks at the input alone, and between methods. Noise also lowers the number: a noisy explanation falls fast without being better (Hedström et al. 2024). Absolute values are compared, so a change of sign counts as none. Only kernels, matrices and embeddings are drawn; biases and normalisations stay.',
  paper: MPRT_PAPER,
  needs: [],
  needsAnnotation: false,
  params: randomisationParams,
  better: 'lower',
} as const

/** What both modalities say of themselves alike. */
export const EFFICIENT_MPRT = {
  id: 'efficient-mprt',
  version: 1,
  family: 'sanity',
  engine: 'onnx',
  title: 'Efficient parameter randomisation',
  summary: 'How much more complex the explanation becomes when the model forgets all it learnt.',
  meaning:
    'All layers are given random weights, and the same method explains the same class. The number is the relative rise of the explanation’s complexity, the entropy of the histogram of its values over 100 bins: above 0 where the explanation of the random model is more disordered, as it should be, 0 where it is the same. It needs one random model and compares no two explanations place by place, so that neither noise nor the order of layers has a say.',
  misleads:
    'It knows values and not places: an explanation that moves to somewhere else and keeps its histogram counts as unchanged. Explanations that are noisy to begin with cannot become much noisier and look bad. The histogram of a small map or a short text has few values in many bins, and its entropy says little.',
  paper: LOOK_AT_MPRT_PAPER,
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  better: 'higher',
} as const
