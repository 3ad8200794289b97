/**
 * GradientSHAP: expected gradients of noisy copies of the picture.
 *
 * Lundberg and Lee 2017, https://arxiv.org/abs/1705.07874, as their library and Captum have it: the mean over samples of
 * (x' - b) dF/dx (b + α (x' - b)) with x' the picture with normal noise, b a random baseline, α uniform; summed over the colours
 * of a pixel. An approximation of Shapley values where the model is near linear between b and x'.
 */
import { z } from 'zod'
import { imageMethod } from '../method.ts'
import { alongSampledPaths, distributionField, samplesField } from './shared/sampled-paths.ts'

const params = z.strictObject({
  baselines: distributionField,
  samples: samplesField,
  noise: z.number().min(0).max(1).default(0.05).meta({
    title: 'Noise',
    description:
      'Added to the picture: its standard deviation, as a share of the range from black to white of each colour.',
  }),
})

export const gradientShap = imageMethod<z.infer<typeof params>>({
  id: 'gradient-shap',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'GradientSHAP',
  summary:
    'What each pixel adds to the score compared with random baselines, smoothed by a little noise: expected gradients and SmoothGrad in one.',
  meaning:
    "An estimate of each pixel's Shapley value, under the assumption that pixels are independent and the model is linear between baseline and picture: gradients at random points between random baselines and noisy copies of the picture, times their difference. The map adds up, roughly, to the score less the mean score of the baselines; how far it is from that is on the run.",
  misleads:
    'Neither assumption holds for pictures: neighbouring pixels go together, and networks bend. So read it as smoothed expected gradients rather than as Shapley values. Noise makes the sum drift from what it should be, few samples make the map speckled, and everything is relative to the baselines. Compare the same with noise 0, and KernelSHAP on superpixels for Shapley values without a gradient.',
  paper: {
    title: 'A Unified Approach to Interpreting Model Predictions',
    authors: 'Lundberg, Lee',
    year: 2017,
    url: 'https://arxiv.org/abs/1705.07874',
  },
  needs: [{ place: 'input', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: ({ samples }) => 6 * samples + 1,
  run: alongSampledPaths,
})
