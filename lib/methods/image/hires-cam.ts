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
    meaning:
      "Each value of the layer times its own slope, added over the channels: to first order, what the class's score owes to each cell. Where the network behind the layer is linear the cells add up to the score exactly but for its bias.",
    misleads:
      'A product of value and slope is a first-order share: where the network behind the layer bends (deep in front of the head) the shares can be far off. Noisy slopes are not averaged away, so maps of early layers look ragged; that is the network, not an error.',
    paper: {
      title: 'Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks',
      authors: 'Draelos, Carin',
      year: 2020,
      url: 'https://arxiv.org/abs/2011.08891',
    },
  },
  sumOverChannels,
)
