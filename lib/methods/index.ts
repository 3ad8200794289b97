/** The methods there are: explicit, in the order in which they are offered. A test holds list == folder == tests. */
import type { Method } from './method.ts'
import { gradCam } from './image/grad-cam.ts'
import { gradCamPlusPlus } from './image/grad-cam-plus-plus.ts'
import { hiresCam } from './image/hires-cam.ts'
import { layerCam } from './image/layer-cam.ts'
import { cam } from './image/cam.ts'
import { integratedGradients } from './text/integrated-gradients.ts'
import { inputXGradient } from './text/input-x-gradient.ts'
import { gradientNorm } from './text/gradient-norm.ts'
import { smoothGrad } from './text/smooth-grad.ts'
import { gradientShap } from './text/gradient-shap.ts'
import { expectedGradients } from './text/expected-gradients.ts'
import { idgi } from './text/idgi.ts'
import { attentionRollout } from './text/attention-rollout.ts'
import { attentionGradient } from './text/attention-gradient.ts'
import { deepLift } from './text/deep-lift.ts'
import { attnLrp } from './text/attn-lrp.ts'
import { cpLrp } from './text/cp-lrp.ts'
import { lrp } from './text/lrp.ts'
import { libraGrad } from './text/libra-grad.ts'
import { occlusion } from './text/occlusion.ts'

export const METHODS: readonly Method[] = Object.freeze([
  // image
  gradCam,
  cam,
  gradCamPlusPlus,
  hiresCam,
  layerCam,
  // text
  integratedGradients,
  inputXGradient,
  gradientNorm,
  smoothGrad,
  gradientShap,
  expectedGradients,
  idgi,
  libraGrad,
  deepLift,
  attnLrp,
  cpLrp,
  lrp,
  attentionRollout,
  attentionGradient,
  occlusion,
])
