/** How few of its values an attribution is made of: of absolute values, whatever their places. */
import { z } from 'zod'

/** Shannon entropy of |phi| / sum |phi|, in nats (Bhatt et al. 2020, 2005.00631); null where all are 0. */
export function entropyOf(values: ArrayLike<number>): number | null {
  let total = 0
  for (let at = 0; at < values.length; at += 1) total += Math.abs(values[at] ?? Number.NaN)
  if (total === 0) return null
  let entropy = 0
  for (let at = 0; at < values.length; at += 1) {
    const share = Math.abs(values[at] ?? Number.NaN) / total
    if (share > 0) entropy -= share * Math.log(share)
  }
  return entropy
}

/** Gini index of |phi| (Chalasani et al. 2020; Hurley and Rickard 2009): 0 where all are equal; null where all are 0. */
export function giniOf(values: ArrayLike<number>): number | null {
  const sorted = Float64Array.from({ length: values.length }, (_, at) => Math.abs(values[at] ?? Number.NaN)).sort()
  const total = sorted.reduce((sum, value) => sum + value, 0)
  if (total === 0) return null
  const count = sorted.length
  return sorted.reduce((sum, value, at) => sum + (2 * (at + 1) - count - 1) * value, 0) / (count * total)
}

export const ZERO_EVERYWHERE = 'The attribution is zero everywhere, so it has no shares to speak of.'

/** What both modalities say of themselves alike. */
export const ENTROPY = {
  id: 'entropy',
  version: 1,
  family: 'complexity',
  title: 'Entropy',
  misleads:
    'Short is not right: one wrong place has the best value there is. It says nothing of the model, and the uniform control is the worst by construction. An object that fills the picture, or a text that makes its point in every sentence, has no short explanation that is faithful. Values near 0 in great number, as the noise of gradients, raise it though nobody would see them.',
  paper: {
    title: 'Evaluating and Aggregating Feature-based Model Explanations',
    authors: 'Bhatt, Weller, Moura',
    year: 2020,
    url: 'https://arxiv.org/abs/2005.00631',
  },
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  better: 'lower',
  cost: () => 0,
} as const

/** What both modalities say of themselves alike. */
export const GINI = {
  id: 'gini',
  version: 1,
  family: 'complexity',
  title: 'Gini sparseness',
  misleads:
    'Sparse is not right: one wrong place has nearly 1. It says nothing of the model. Rectified maps have many zeros and so look sparser than signed ones of the same method; compare like with like. Smooth maps of late layers cannot be as sparse as maps of single pixels.',
  paper: {
    title: 'Concise Explanations of Neural Networks using Adversarial Training',
    authors: 'Chalasani, Chen, Chowdhury, Wu, Jha',
    year: 2020,
    url: 'https://arxiv.org/abs/1810.06583',
  },
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  better: 'higher',
  cost: () => 0,
} as const
