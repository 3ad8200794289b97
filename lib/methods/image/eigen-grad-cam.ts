/**
 * Eigen-Grad-CAM: the first principal component of gradient times activation, over the cells of a layer.
 *
 * pytorch-grad-cam's EigenGradCAM (Gildenblat 2021), after Eigen-CAM (Muhammad and Yeasin 2020, https://arxiv.org/abs/2008.00299):
 * g * A as a matrix [H W, C], centred, along its first right singular vector. The sign is arbitrary there; here the map is
 * turned to the side that correlates with the mean of g * A over channels (HiResCAM's map), so that positive means for the
 * class, and a diagnosis says how well it does.
 */
import { multiply } from '../../engine/formula.ts'
import { answered } from '../shared/batches.ts'
import { readingCam } from './shared/cam.ts'
import { layerParams, type LayerParams } from './shared/layer.ts'
import { principalMap } from './shared/principal-map.ts'

const CELLS = 'cells'

export const eigenGradCam = readingCam<LayerParams>(
  {
    id: 'eigen-grad-cam',
    version: 1,
    title: 'Eigen-Grad-CAM',
    summary:
      'The strongest pattern in what a layer contributes to the class: gradient times activation along its first principal component.',
    meaning:
      'A map of the layer, one number a cell. Each value of the layer is multiplied by its gradient, as in HiResCAM; instead of adding the channels up, the cells are projected on the direction in which those products differ most over the picture. That keeps the one pattern that channels share and drops what only some of them do, so the map is smoother and less noisy than the sum. It is turned so that positive goes with what raises the score.',
    misleads:
      'It is one component of several: the diagnosis says what share it holds, and what it drops may be the evidence. Its values add up to nothing, and zero is the mean cell rather than no influence. Where evidence for and against the class are equally strong the sign is a coin toss, and then the diagnosis warns: compare HiResCAM, whose sign is real.',
    paper: {
      title: 'Eigen-CAM: Class Activation Map using Principal Components',
      authors: 'Muhammad, Yeasin',
      year: 2020,
      url: 'https://arxiv.org/abs/2008.00299',
    },
    params: layerParams,
    gradient: true,
  },
  {
    outputs: (activation, gradient) => ({ [CELLS]: multiply(gradient, activation) }),
    found: (outputs) => principalMap(answered(outputs, CELLS), 'the mean of gradient times activation'),
  },
)
