/** Input x gradient: the first-order share of each token in the score. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { gradientMethod } from './shared/gradient-method.ts'
import { product } from './shared/product.ts'
import { scalarParam } from './shared/scalar-param.ts'

const params = z.strictObject({ scalar: scalarParam })

export const inputXGradient = gradientMethod<z.infer<typeof params>>({
  id: 'input-x-gradient',
  version: 1,
  title: 'Input \u00d7 gradient',
  summary:
    'What each token adds to the score of the class, to first order: positive speaks for the class, negative against it. Fast; exact only where the model is linear.',
  meaning:
    "The slope of the score along each token's own embedding: what the token adds to the score to first order. Positive speaks for the class, negative against it. One question, so it is the fastest signed method.",
  misleads:
    'A first-order share is exact only where the model is linear; in a transformer its signs are often wrong, and the scores add up to nothing in particular. Saturated models, whose probability is near 1, have small slopes for the very words that decided. Use integrated gradients where the sign matters.',
  paper: {
    title: 'Not Just a Black Box: Learning Important Features Through Propagating Activation Differences',
    authors: 'Shrikumar, Greenside, Shcherbina, Kundaje',
    year: 2016,
    url: 'https://arxiv.org/abs/1605.01713',
  },
  params,
  signed: true,
  wordReduction: 'sum',
  /** scores[t] = <embedding[t], d scalar / d embedding[t]>, signed. */
  score: product,
})
