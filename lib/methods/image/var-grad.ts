/**
 * VarGrad: how much a gradient method varies over noisy copies of the picture.
 *
 * Adebayo et al. 2018, https://arxiv.org/abs/1810.03307, equation 4: the variance (of all samples, divided by their number) of
 * each number, summed over the colours of a pixel.
 */
import { z } from 'zod'
import { noiseFields, overNoise } from './shared/over-noise.ts'
import { viewed } from './shared/pixels.ts'

const params = z.strictObject(noiseFields)

export const varGrad = overNoise<z.infer<typeof params>>(
  {
    id: 'var-grad',
    version: 1,
    title: 'VarGrad',
    summary: 'How much the gradient at each pixel varies over noisy copies of the picture. Never negative.',
    meaning:
      'The variance of the gradient (or of what the parameter names) over copies of the picture with normal noise, summed over colours. Large where the slope of the score changes with small changes of the picture, which is where units switch: near edges and parts that the model reads. In the square of the unit of the method it wraps; it has no sign, and a constant slope, however large, is 0.',
    misleads:
      'A pixel on which the score depends steadily, as in a linear model, scores 0: it measures curvature, not contribution. It grows with the noise, so maps with different noise cannot be compared, and with few samples the variance is itself uncertain by about √(2/n). It says nothing of for or against.',
    paper: {
      title: 'Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values',
      authors: 'Adebayo, Gilmer, Goodfellow, Kim',
      year: 2018,
      url: 'https://arxiv.org/abs/1810.03307',
    },
    params,
    signed: false,
  },
  ({ variance, extent }) => viewed(variance, extent, 'signed'),
)
