/**
 * XGrad-CAM: the channels of a layer, weighted by their gradients, each place counting as much as the channel is active there.
 *
 * Fu et al. 2020, https://arxiv.org/abs/2008.02312, equation 8: w_k = sum_ij (A^k_ij / sum_ab A^k_ab) dS_c/dA^k_ij, map =
 * sum_k w_k A^k. The last ReLU is a matter of display. The paper's sums are positive, behind a ReLU; elsewhere positive and
 * negative values may cancel: such a channel has no weight, is left out, and a diagnosis says how many were. (pytorch-grad-cam
 * and torch-cam add 1e-7 and 1e-8 to the sum instead, which lets one such channel drown the others.)
 */
import { abs, divide, less, multiply, sum, where, type Formula } from '../../engine/formula.ts'
import type { Diagnosis } from '../diagnosis.ts'
import { channelSums, MAP, plane, readingCam, sumOverChannels } from './shared/cam.ts'
import { layerParams, type LayerParams } from './shared/layer.ts'

/** A sum below this share of what it is made of is left of a cancellation. */
const CANCELLED = 1e-3
const LEFT_OUT = 'channels left out'

/** 1 where a channel's values cancel: [N, C, 1, 1]. A dead channel's do not: it is zero whatever weighs it. */
const cancels = (activation: Formula): Formula =>
  less(abs(channelSums(activation)), multiply(channelSums(abs(activation)), CANCELLED))

/** [N, C, 1, 1]; what is divided by 0 is 0. */
function weights(activation: Formula, gradient: Formula): Formula {
  const shares = divide(channelSums(multiply(gradient, activation)), channelSums(activation))
  return where(cancels(activation), 0, shares)
}

function leftOut(count: number): readonly Diagnosis[] {
  if (!(count > 0)) return []
  return [
    {
      code: 'CANCELLING_CHANNELS',
      severity: 'warning',
      message: `In ${count} ${count === 1 ? 'channel' : 'channels'} of this layer positive and negative values cancel, and XGrad-CAM divides by their sum: ${count === 1 ? 'it was' : 'they were'} left out. Ask at a layer behind a ReLU, or use HiResCAM, which needs no such sum.`,
    },
  ]
}

export const xgradCam = readingCam<LayerParams>(
  {
    id: 'xgrad-cam',
    version: 1,
    title: 'XGrad-CAM',
    summary:
      'As Grad-CAM, with each gradient counting as much as the channel is active where it was found, so that the map adds up to gradient times activation.',
    meaning:
      "A map of the layer, one number a cell. A channel's weight is the mean of the class score's gradient over the channel, weighted by the activation itself, so that a slope at a place where the channel is silent does not count. The map's sum is the sum of gradient times activation: of all maps with one weight a channel it is the one that keeps this total (the paper's axioms of sensitivity and conservation, as far as such a map can). Positive cells raise the score, negative ones lower it.",
    misleads:
      'The total is kept, the places are not: within a channel all active cells share one weight, so a cell may be credited for a slope at another (HiResCAM shows each cell with its own). The weights divide by the sum of a channel, which means something where activations are not negative; at layers that are not behind a ReLU channels whose sum cancels are left out, and near-cancelling ones weigh too much. A ReLU network’s sum of gradient times activation leaves out the biases behind the layer, so it is not the score.',
    paper: {
      title: 'Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs',
      authors: 'Fu, Hu, Dong, Guo, Gao, Li',
      year: 2020,
      url: 'https://arxiv.org/abs/2008.02312',
    },
    params: layerParams,
    gradient: true,
  },
  {
    outputs: (activation, gradient) => ({
      [MAP]: sumOverChannels(activation, weights(activation, gradient)),
      [LEFT_OUT]: sum(cancels(activation), [1]),
    }),
    found: (outputs) => ({
      map: plane(outputs[MAP]),
      diagnoses: leftOut(outputs[LEFT_OUT]?.data[0] ?? 0),
    }),
  },
)
