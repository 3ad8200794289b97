/**
 * Grad-CAM++: the channels of a layer, weighted by positive gradients, each place with a weight of its own, so that
 * several objects of one class all count.
 *
 * Chattopadhyay et al. 2018, https://arxiv.org/abs/1710.11063, equation 19 with the exponential as last activation:
 * alpha = g^2 / (2 g^2 + (sum_ab A_ab) g^3), 0 where g = 0; w_k = sum_ij alpha ReLU(g); map = sum_k w_k A^k. The common factor
 * exp(S_c) is left out, which scales the map and changes nothing else; the last ReLU is a matter of display. The same as
 * pytorch-grad-cam's GradCAMPlusPlus but for its 1e-6 in the denominator.
 */
import type { FloatTensor } from '../../tensor/tensor.ts'
import { channelMeans, gradientCam, weightedSum } from './shared/cam.ts'

function weights(activation: FloatTensor, gradient: FloatTensor): Float64Array {
  const [channels = 0, height = 0, width = 0] = activation.dims
  const plane = height * width
  const means = channelMeans(activation)
  return Float64Array.from({ length: channels }, (_, channel) => {
    const total = (means[channel] ?? 0) * plane
    let weight = 0
    for (const g of gradient.data.subarray(channel * plane, (channel + 1) * plane)) {
      // g^2 / (2 g^2 + total g^3) = 1 / (2 + total g); only positive gradients count.
      const denominator = 2 + total * g
      if (g > 0 && denominator !== 0) weight += g / denominator
    }
    return weight
  })
}

export const gradCamPlusPlus = gradientCam(
  {
    id: 'grad-cam-plus-plus',
    version: 1,
    title: 'Grad-CAM++',
    summary:
      'As Grad-CAM, with a weight for each place instead of one mean, so that several objects of one class all show.',
    paper: {
      title: 'Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks',
      authors: 'Chattopadhyay, Sarkar, Howlader, Balasubramanian',
      year: 2018,
      url: 'https://arxiv.org/abs/1710.11063',
    },
  },
  (activation, gradient) => weightedSum(activation, weights(activation, gradient)),
)
