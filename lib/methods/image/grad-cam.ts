/**
 * Grad-CAM: the channels of a layer, weighted by the mean gradient of the class's logit.
 *
 * Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391, equations 1 and 2: w_k = 1/(HW) sum_ij dS_c/dA^k_ij, map =
 * sum_k w_k A^k. The paper's last ReLU is a matter of display here: the map is returned signed.
 */
import { channelMeans, gradientCam, sumOverChannels } from './shared/cam.ts'

export const gradCam = gradientCam(
  {
    id: 'grad-cam',
    version: 1,
    title: 'Grad-CAM',
    summary:
      'Which regions raise the score of a class: the maps of a layer, each weighted by how much the score reacts to it.',
    meaning:
      "A map of the layer, one number a cell. Each channel of the layer is weighted by the mean slope of the class's score over that channel, and the weighted channels are added: a cell is positive where the layer shows what raises the score, negative where it shows what lowers it. The unit is score per cell; in a network that ends in global average pooling and one linear layer, the cells add up to the score but for its bias.",
    misleads:
      'Averaging the slopes gives a place credit for what happened at another: where the head is not global average pooling, or at early layers, cells light up that the score does not depend on (HiResCAM shows which). The map is as coarse as the layer, and its smooth edges come from the enlargement. Several objects of one class may share one spot: compare Grad-CAM++ or LayerCAM.',
    paper: {
      title: 'Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization',
      authors: 'Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra',
      year: 2017,
      url: 'https://arxiv.org/abs/1610.02391',
    },
  },
  (activation, gradient) => sumOverChannels(activation, channelMeans(gradient)),
)
