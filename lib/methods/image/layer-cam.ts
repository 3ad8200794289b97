/**
 * LayerCAM: activation times positive gradient at every position, added up over the channels.
 *
 * Jiang et al. 2021, https://doi.org/10.1109/TIP.2021.3089943: map = sum_k ReLU(g^k) * A^k, element by
 * element. Made for early layers, where it keeps fine detail. The paper's last ReLU is a matter of display here.
 */
import { relu } from '../../engine/formula.ts'
import { gradientCam, sumOverChannels } from './shared/cam.ts'

export const layerCam = gradientCam(
  {
    id: 'layer-cam',
    version: 1,
    title: 'LayerCAM',
    summary:
      'Which places of a layer raise the score of a class, counting positive gradients only; sharp at early layers too.',
    meaning:
      'Each value of the layer times its own slope where that slope is positive, added over the channels: what would raise the score if there were more of it, weighed by how much there is. Sharp also at early layers, where it shows edges and texture.',
    misleads:
      'What speaks against the class is dropped before the channels are added, so cells do not add up to anything, and maps of different classes resemble each other. At early layers strong edges win, whatever the class: randomise, or compare the map of an unlikely class.',
    paper: {
      title: 'LayerCAM: Exploring Hierarchical Class Activation Maps for Localization',
      authors: 'Jiang, Zhang, Hou, Cheng, Wei',
      year: 2021,
      url: 'https://doi.org/10.1109/TIP.2021.3089943',
    },
  },
  (activation, gradient) => sumOverChannels(activation, relu(gradient)),
)
