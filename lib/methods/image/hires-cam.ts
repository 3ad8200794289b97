/**
 * HiResCAM: activation times gradient at every position, added up over the channels.
 *
 * Draelos and Carin 2020, https://arxiv.org/abs/2011.08891: map = sum_k g^k * A^k, element by element. Nothing
 * is averaged first, so no place gets credit for a gradient found at another; where the head is global average pooling
 * and one linear layer it equals Grad-CAM.
 */
import { gradientCam, sumOverChannels } from './shared/cam.ts'

export const hiresCam = gradientCam(
  {
    id: 'hires-cam',
    version: 1,
    title: 'HiResCAM',
    summary:
      'Which regions raise the score of a class: each value of a layer times its own gradient, so that nothing is smeared by averaging.',
    paper: {
      title: 'Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks',
      authors: 'Draelos, Carin',
      year: 2020,
      url: 'https://arxiv.org/abs/2011.08891',
    },
  },
  sumOverChannels,
)
