/**
 * SmoothGrad: the mean of a gradient method over noisy copies of the picture.
 *
 * Smilkov et al. 2017, https://arxiv.org/abs/1706.03825, equation 2. Noise is relative to the range from black to white (the
 * paper: to the picture's own largest less smallest value). Means are taken of signed numbers, colours are brought together
 * behind them.
 */
import { z } from 'zod'
import { noiseFields, overNoise } from './shared/over-noise.ts'
import { viewed, viewField } from './shared/pixels.ts'

const params = z.strictObject({ ...noiseFields, view: viewField })

export const smoothGrad = overNoise<z.infer<typeof params>>(
  {
    id: 'smooth-grad',
    version: 1,
    title: 'SmoothGrad',
    summary:
      'The mean of a gradient method over noisy copies of the picture: what stays when the noise of single gradients is averaged out.',
    meaning:
      "The gradient (or what the parameter names) averaged over copies of the picture with normal noise: the slope of the score after it was smoothed over a neighbourhood of the noise's size. It has the sign and the unit of the method it averages. What is left is what many nearby pictures agree on.",
    misleads:
      'Noise takes pictures off what the model has seen: at 20 % and more it may answer for noise, and the map explains that. Too little noise or too few samples leave the single gradient with its speckle; the mean of n samples still has 1/√n of it. Opposite signs cancel: a pixel whose slope flips with the noise looks unimportant (SmoothGrad-Squared and VarGrad show those). The class is held fixed while the noise may change the prediction.',
    paper: {
      title: 'SmoothGrad: removing noise by adding noise',
      authors: 'Smilkov, Thorat, Kim, Viégas, Wattenberg',
      year: 2017,
      url: 'https://arxiv.org/abs/1706.03825',
    },
    params,
    signed: true,
  },
  ({ mean, extent }, { view }) => viewed(mean, extent, view),
)
