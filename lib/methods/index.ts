/** The methods there are: explicit, in the order in which they are offered. A test holds list == folder == tests. */
import type { Method } from './method.ts'
import { gradCam } from './image/grad-cam.ts'
import { gradCamPlusPlus } from './image/grad-cam-plus-plus.ts'
import { hiresCam } from './image/hires-cam.ts'
import { layerCam } from './image/layer-cam.ts'
import { cam } from './image/cam.ts'
import { xgradCam } from './image/xgrad-cam.ts'
import { elementwiseGradCam } from './image/elementwise-grad-cam.ts'
import { eigenCam } from './image/eigen-cam.ts'
import { eigenGradCam } from './image/eigen-grad-cam.ts'
import { scoreCam } from './image/score-cam.ts'
import { ablationCam } from './image/ablation-cam.ts'
import { finerCam } from './image/finer-cam.ts'
import { guidedGradCam } from './image/guided-grad-cam.ts'
import { fullGrad } from './image/full-grad.ts'
import { leGrad } from './image/legrad.ts'
import { craft } from './image/craft.ts'
import { gradient } from './image/gradient.ts'
import { inputXGradient as imageInputXGradient } from './image/input-x-gradient.ts'
import { guidedBackprop } from './image/guided-backprop.ts'
import { deconvnet } from './image/deconvnet.ts'
import { integratedGradients as imageIntegratedGradients } from './image/integrated-gradients.ts'
import { smoothGrad } from './image/smooth-grad.ts'
import { varGrad } from './image/var-grad.ts'
import { squareGrad } from './image/square-grad.ts'
import { gradientShap } from './image/gradient-shap.ts'
import { expectedGradients } from './image/expected-gradients.ts'
import { deepLift } from './image/deep-lift.ts'
import { lrp } from './image/lrp.ts'
import { blurIg } from './image/blur-ig.ts'
import { guidedIg } from './image/guided-ig.ts'
import { idgi } from './image/idgi.ts'
import { xrai } from './image/xrai.ts'
import { occlusion as imageOcclusion } from './image/occlusion.ts'
import { rise } from './image/rise.ts'
import { lime as imageLime } from './image/lime.ts'
import { kernelShap as imageKernelShap } from './image/kernel-shap.ts'
import { integratedGradients } from './text/integrated-gradients.ts'
import { inputXGradient } from './text/input-x-gradient.ts'
import { gradientNorm } from './text/gradient-norm.ts'
import { smoothGrad as textSmoothGrad } from './text/smooth-grad.ts'
import { gradientShap as textGradientShap } from './text/gradient-shap.ts'
import { expectedGradients as textExpectedGradients } from './text/expected-gradients.ts'
import { idgi as textIdgi } from './text/idgi.ts'
import { attentionRollout } from './text/attention-rollout.ts'
import { attentionGradient } from './text/attention-gradient.ts'
import { deepLift as textDeepLift } from './text/deep-lift.ts'
import { attnLrp } from './text/attn-lrp.ts'
import { cpLrp } from './text/cp-lrp.ts'
import { lrp as textLrp } from './text/lrp.ts'
import { libraGrad } from './text/libra-grad.ts'
import { occlusion } from './text/occlusion.ts'
import { lime } from './text/lime.ts'
import { kernelShap } from './text/kernel-shap.ts'
import { partitionShap } from './text/partition-shap.ts'

export const METHODS: readonly Method[] = Object.freeze([
  // image
  gradCam,
  cam,
  gradCamPlusPlus,
  hiresCam,
  layerCam,
  xgradCam,
  elementwiseGradCam,
  eigenCam,
  eigenGradCam,
  finerCam,
  scoreCam,
  ablationCam,
  guidedGradCam,
  fullGrad,
  leGrad,
  craft,
  imageIntegratedGradients,
  blurIg,
  guidedIg,
  idgi,
  xrai,
  expectedGradients,
  gradientShap,
  gradient,
  imageInputXGradient,
  smoothGrad,
  varGrad,
  squareGrad,
  guidedBackprop,
  deconvnet,
  deepLift,
  lrp,
  imageOcclusion,
  rise,
  imageLime,
  imageKernelShap,
  // text
  integratedGradients,
  inputXGradient,
  gradientNorm,
  textSmoothGrad,
  textGradientShap,
  textExpectedGradients,
  textIdgi,
  libraGrad,
  textDeepLift,
  attnLrp,
  cpLrp,
  textLrp,
  attentionRollout,
  attentionGradient,
  occlusion,
  lime,
  kernelShap,
  partitionShap,
])
