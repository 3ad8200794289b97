/**
 * Element-wise Grad-CAM: activation times gradient at every position and channel, what is negative left out, added up over
 * the channels: map = sum_k ReLU(g^k * A^k). Of no paper: pytorch-grad-cam's GradCAMElementWise (Gildenblat 2021).
 */
import { multiply, relu, sum } from '../../engine/formula.ts'
import { gradientCam } from './shared/cam.ts'

export const elementwiseGradCam = gradientCam(
  {
    id: 'elementwise-grad-cam',
    version: 1,
    title: 'Element-wise Grad-CAM',
    summary:
      'Which places of a layer hold something that raises the score, whatever else there lowers it: positive parts of activation times gradient, added up.',
    meaning:
      'A map of the layer, never negative. Each value of the layer is multiplied by its own gradient; products below zero are dropped before the channels are added, so a cell shows all that speaks for the class there, and nothing of what speaks against it. It is HiResCAM with the evidence against left out channel by channel.',
    misleads:
      'A cell may be bright although the layer there lowers the score on balance: the evidence against was dropped, and it is often of the same size. Maps of different classes look alike for the same reason, and where a layer has many channels noise adds up instead of cancelling. To see whether the evidence holds on balance, look at HiResCAM’s signed map.',
    paper: null,
  },
  (activation, gradient) => sum(relu(multiply(gradient, activation)), [1]),
)
