/**
 * Gradient: how the score reacts to a small change of each pixel.
 *
 * Simonyan et al. 2013, https://arxiv.org/abs/1312.6034, section 3: M_ij = max_c |dS/dI_ijc|, which is the view `channel-max`; the
 * signed view is the sum over the colours.
 */
import { z } from 'zod'
import { pixelMethod, viewField } from './shared/pixels.ts'

const params = z.strictObject({ view: viewField })

export const gradient = pixelMethod<z.infer<typeof params>>({
  id: 'gradient',
  version: 1,
  title: 'Gradient',
  summary: 'How strongly the score of the class reacts to a small change of each pixel. One pass, and noisy.',
  meaning:
    "The slope of the class's score by each pixel, in score per unit of the model's input. Signed: brightening a positive pixel a little raises the score. Absolute and channel-max views only say how sensitive the score is there; the second is the saliency map of the paper. It is a statement about very small changes around this one picture.",
  misleads:
    'Sensitive is not the same as responsible: where the score is saturated, the part that decided it may have no slope at all, and edges have slopes whatever they belong to. Neighbouring pixels take opposite signs at random, so the signed sum of a region says little; strided convolutions print checkerboards. Average it over noise (SmoothGrad), or ask a method that adds up (integrated gradients) what each pixel contributes.',
  paper: {
    title: 'Deep Inside Convolutional Networks: Visualising Image Classification Models and Saliency Maps',
    authors: 'Simonyan, Vedaldi, Zisserman',
    year: 2013,
    url: 'https://arxiv.org/abs/1312.6034',
  },
  params,
  read: (_context, { view }) => ({ perColour: (slope) => slope, view }),
})
