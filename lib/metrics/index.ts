/** The metrics there are: explicit, in the order in which they are offered. */
import { averageDrop } from './image/average-drop.ts'
import { averageGain } from './image/average-gain.ts'
import { completenessError as imageCompletenessError } from './image/completeness-error.ts'
import { deletion } from './image/deletion.ts'
import { energyInside } from './image/energy-inside.ts'
import { entropy as imageEntropy } from './image/entropy.ts'
import { faithfulnessCorrelation } from './image/faithfulness-correlation.ts'
import { gini as imageGini } from './image/gini.ts'
import { increase } from './image/increase.ts'
import { infidelity } from './image/infidelity.ts'
import { insertion } from './image/insertion.ts'
import { iou } from './image/iou.ts'
import { localLipschitz as imageLocalLipschitz } from './image/local-lipschitz.ts'
import { maxSensitivity as imageMaxSensitivity } from './image/max-sensitivity.ts'
import { pointingGame } from './image/pointing-game.ts'
import { randomLogit as imageRandomLogit } from './image/random-logit.ts'
import { roadCombined } from './image/road-combined.ts'
import { roadLeast } from './image/road-least.ts'
import { roadMost } from './image/road-most.ts'
import { sensitivityN } from './image/sensitivity-n.ts'
import { topKIntersection } from './image/top-k-intersection.ts'
import { auprc } from './text/auprc.ts'
import { completenessError as textCompletenessError } from './text/completeness-error.ts'
import { comprehensiveness } from './text/comprehensiveness.ts'
import { entropy as textEntropy } from './text/entropy.ts'
import { gini as textGini } from './text/gini.ts'
import { iouF1 } from './text/iou-f1.ts'
import { localLipschitz as textLocalLipschitz } from './text/local-lipschitz.ts'
import { logOdds } from './text/log-odds.ts'
import { maxSensitivity as textMaxSensitivity } from './text/max-sensitivity.ts'
import { randomLogit as textRandomLogit } from './text/random-logit.ts'
import { softComprehensiveness } from './text/soft-comprehensiveness.ts'
import { softSufficiency } from './text/soft-sufficiency.ts'
import { sufficiency } from './text/sufficiency.ts'
import { tauLoo } from './text/tau-loo.ts'
import { tokenF1 } from './text/token-f1.ts'
import { efficientMprt as imageEfficientMprt } from './image/efficient-mprt.ts'
import { mprt as imageMprt } from './image/mprt.ts'
import { smoothMprt } from './image/smooth-mprt.ts'
import { efficientMprt as textEfficientMprt } from './text/efficient-mprt.ts'
import { mprt as textMprt } from './text/mprt.ts'
import type { Metric } from './metric.ts'

export const METRICS: readonly Metric[] = Object.freeze([
  deletion,
  insertion,
  averageDrop,
  increase,
  averageGain,
  roadMost,
  roadLeast,
  roadCombined,
  sensitivityN,
  infidelity,
  faithfulnessCorrelation,
  imageCompletenessError,
  imageMaxSensitivity,
  imageLocalLipschitz,
  imageRandomLogit,
  imageMprt,
  smoothMprt,
  imageEfficientMprt,
  pointingGame,
  energyInside,
  iou,
  topKIntersection,
  imageEntropy,
  imageGini,
  comprehensiveness,
  sufficiency,
  softComprehensiveness,
  softSufficiency,
  tauLoo,
  logOdds,
  textCompletenessError,
  textMaxSensitivity,
  textLocalLipschitz,
  textRandomLogit,
  textMprt,
  textEfficientMprt,
  auprc,
  tokenF1,
  iouF1,
  textEntropy,
  textGini,
])
