/**
 * SmoothGrad-Squared: the mean square of a gradient method over noisy copies of the picture.
 *
 * Hooker et al. 2019, https://arxiv.org/abs/1806.10758, section 3 (SG-SQ): each number squared before the mean, summed over
 * the colours of a pixel. It is the squared mean (SmoothGrad) plus the variance (VarGrad).
 */
import { z } from 'zod'
import { noiseFields, overNoise } from './shared/over-noise.ts'
import { viewed } from './shared/pixels.ts'

const params = z.strictObject(noiseFields)

export const squareGrad = overNoise<z.infer<typeof params>>(
  {
    id: 'square-grad',
    version: 1,
    title: 'SmoothGrad-Squared',
    summary:
      'The mean square of the gradient over noisy copies of the picture: where the score reacts, in whichever direction. Never negative.',
    meaning:
      'The gradient (or what the parameter names) of each noisy copy, squared, averaged, and summed over colours: the squared mean plus the variance. Large where the score reacts strongly, whether the sign stays the same or flips. In retraining tests (ROAR) it was among the few that beat a random order of pixels.',
    misleads:
      'Without a sign it cannot tell evidence for the class from evidence against it. Squaring makes few pixels dominate: rank or clip before comparing maps. As with SmoothGrad, large noise asks the model about pictures it never saw. That it does well in ROAR says that it finds pixels which hold information on the class, not that this model used them.',
    paper: {
      title: 'A Benchmark for Interpretability Methods in Deep Neural Networks',
      authors: 'Hooker, Erhan, Kindermans, Kim',
      year: 2019,
      url: 'https://arxiv.org/abs/1806.10758',
    },
    params,
    signed: false,
  },
  ({ mean, variance, extent }) =>
    viewed(
      mean.map((one, at) => one * one + (variance[at] ?? Number.NaN)),
      extent,
      'signed',
    ),
)
