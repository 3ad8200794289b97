/**
 * Input x gradient: the first-order share of each pixel in the score.
 *
 * Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713: sum_c x_c dS/dx_c, in the model's own numbers, so that what the
 * preprocessing makes 0 scores 0. In a network of linear parts and ReLUs without biases it adds up to the score.
 */
import { z } from 'zod'
import { multiply } from '../../engine/formula.ts'
import { pixelMethod } from './shared/pixels.ts'

export const inputXGradient = pixelMethod<Record<string, never>>({
  id: 'input-x-gradient',
  version: 1,
  title: 'Input × gradient',
  summary: 'What each pixel adds to the score of the class, to first order. Exact only where the model is linear.',
  meaning:
    "Each pixel times the slope of the score there, summed over its colours: what it adds to the score if the network went on as it does around this picture. Positive speaks for the class. The unit is the score's own; in a network of linear layers and ReLUs without biases the map adds up to the score exactly.",
  misleads:
    "Zero is a colour here: the one that the model's preprocessing turns into 0, often a mid grey, and such pixels score 0 whatever they show. Biases and saturation are left out, so the sum may be far from the score, and the noise of the gradient stays. Compare integrated gradients, which states what it compares with and how well it adds up.",
  paper: {
    title: 'Not Just a Black Box: Learning Important Features Through Propagating Activation Differences',
    authors: 'Shrikumar, Greenside, Shcherbina, Kundaje',
    year: 2016,
    url: 'https://arxiv.org/abs/1605.01713',
  },
  params: z.strictObject({}),
  read: () => ({ perColour: (slope, picture) => multiply(slope, picture) }),
})
