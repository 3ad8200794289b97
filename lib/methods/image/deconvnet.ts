/**
 * Deconvnet: what goes back is rectified at every rectifier, whatever was open on the way forward.
 *
 * Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901, section 2.1, from the class's score (the paper starts at single
 * units). Max pooling goes back to its maximum, which is the paper's switch. Other activations as in guided backpropagation.
 */
import { z } from 'zod'
import { notRectified } from './shared/rectified.ts'
import { pixelMethod, viewField } from './shared/pixels.ts'

const params = z.strictObject({ view: viewField })

export const deconvnet = pixelMethod<z.infer<typeof params>>({
  id: 'deconvnet',
  version: 1,
  title: 'Deconvnet',
  summary:
    'The network run backwards as a reconstruction: positive signals only, whether units were active or not. Historical, and hardly about the class.',
  meaning:
    'The weights of the class sent back through the transposed layers, kept positive at each ReLU: a pattern that would excite the units behind the score, laid where the max poolings found their maxima. It has no unit and is no derivative; only its picture counts.',
  misleads:
    'Which units were active plays no role but for the switches of max pooling, so in a network without max pooling the picture hardly matters for the map. It passes sanity checks no better than guided backpropagation: another class or random upper layers look much the same (Nie et al. 2018, 1805.07039). Of interest beside the gradient and guided backpropagation, to see what each rule at the ReLU does.',
  paper: {
    title: 'Visualizing and Understanding Convolutional Networks',
    authors: 'Zeiler, Fergus',
    year: 2014,
    url: 'https://arxiv.org/abs/1311.2901',
  },
  params,
  needsRules: 'deconvnet',
  read: (_context, { view }) => ({ perColour: (slope) => slope, view, rules: { id: 'deconvnet' } }),
  says: ({ model }) => notRectified(model),
})
