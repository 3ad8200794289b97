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
    paper: {
      title: 'Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization',
      authors: 'Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra',
      year: 2017,
      url: 'https://arxiv.org/abs/1610.02391',
    },
  },
  (activation, gradient) => sumOverChannels(activation, channelMeans(gradient)),
)
