/**
 * Grad-CAM++: the channels of a layer, weighted by positive gradients, each place with a weight of its own, so that
 * several objects of one class all count.
 *
 * Chattopadhyay et al. 2018, https://arxiv.org/abs/1710.11063, equation 19 with the exponential as last activation:
 * alpha = g^2 / (2 g^2 + (sum_ab A_ab) g^3), 0 where g = 0; w_k = sum_ij alpha ReLU(g); map = sum_k w_k A^k. The common factor
 * exp(S_c) is left out, which scales the map and changes nothing else; the last ReLU is a matter of display. The same as
 * pytorch-grad-cam's GradCAMPlusPlus but for its 1e-6 in the denominator.
 */
import { add, divide, multiply, relu, type Formula } from '../../engine/formula.ts'
import { channelSums, gradientCam, sumOverChannels } from './shared/cam.ts'

/** [N, C, 1, 1]. alpha ReLU(g) = ReLU(g) g^2 / (2 g^2 + (sum A) g^3), which is ReLU(g) / (2 + (sum A) g). */
function weights(activation: Formula, gradient: Formula): Formula {
  return channelSums(divide(relu(gradient), add(2, multiply(channelSums(activation), gradient))))
}

export const gradCamPlusPlus = gradientCam(
  {
    id: 'grad-cam-plus-plus',
    version: 1,
    title: 'Grad-CAM++',
    summary:
      'As Grad-CAM, with a weight for each place instead of one mean, so that several objects of one class all show.',
    meaning:
      "As Grad-CAM, but a channel's weight is made of its positive slopes alone, each place weighed by a coefficient that equalises strong and weak responses, so that several objects of one class all show. A cell is score per cell up to one factor for the whole map; compare cells of one map, not maps of two runs.",
    misleads:
      "Counting positive slopes only, it tells classes apart less sharply than Grad-CAM: the map of another class often looks the same. The coefficients rest on the exponential as last activation and can be large where 2 + g times the channel's sum is near zero. Libraries compute four different formulas under this name.",
    paper: {
      title: 'Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks',
      authors: 'Chattopadhyay, Sarkar, Howlader, Balasubramanian',
      year: 2018,
      url: 'https://arxiv.org/abs/1710.11063',
    },
  },
  (activation, gradient) => sumOverChannels(activation, weights(activation, gradient)),
)
