/**
 * The inner loops of Score-CAM and Ablation-CAM, of the parts that methods are made of: one weight a channel of the last map.
 * Letters: C channels of the map, K classes.
 */
import { given, matmul } from '../../lib/engine/formula.ts'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { channelRows, weightedChannels, withoutEachChannel } from '../../lib/methods/image/shared/channels.ts'
import { behindMasks, byItsExtremes } from '../../lib/methods/image/shared/masked-picture.ts'
import { answered } from '../../lib/methods/shared/batches.ts'
import { everyScalar } from '../../lib/methods/shared/made-rows.ts'
import { softmax } from '../../lib/target/links.ts'
import type { FloatTensor } from '../../lib/tensor/tensor.ts'
import { enlarging } from './enlarging.ts'
import { explaining } from './explaining.ts'

export interface Explained {
  readonly model: ExplainableModel
  /** [1, 3, H, W], fed as `image`. */
  readonly image: FloatTensor
  /** The last spatial map. */
  readonly lastMap: string
  readonly target: number
}

export interface ChannelWeights {
  /** [1, C, h, w] */
  readonly map: FloatTensor
  /** [C] */
  readonly weights: Float64Array
}

/** Measured on two cores: from 8 pictures on a picture costs the same, and 16 is what pytorch-grad-cam takes. */
const SCORE_CAM_BATCH = 16
const ABLATION_CAM_BATCH = 64

/** sum_k weight_k A^k: [h, w], signed. */
export function weightedMap({ map, weights }: ChannelWeights): FloatTensor {
  return weightedChannels(map, weights)
}

/**
 * Wang et al. 2020, equations 5 to 8: softmax over the channels of the target's logit for the picture behind each mask. Masks
 * are enlarged with corners on corners, as pytorch-grad-cam does.
 */
export async function scoreCamWeights({ model, image, lastMap, target }: Explained): Promise<ChannelWeights> {
  const { values } = await model.ask({ feeds: { image }, read: [lastMap] })
  const map = answered(values, lastMap)
  const [, channels = 0, rows = 0, columns = 0] = map.dims
  const [, , height = 0, width = 0] = image.dims
  const masks = behindMasks(
    { input: 'image', picture: image },
    {
      total: channels,
      mask: byItsExtremes(matmul(matmul(given('down'), given('channel')), given('across'))),
      shared: { down: enlarging(rows, height, 'down'), across: enlarging(columns, width, 'across') },
      perRow: (batch) => ({ channel: channelRows(map, batch) }),
    },
  )
  const scores = await everyScalar(explaining(model, target), masks, SCORE_CAM_BATCH)
  return { map, weights: Float64Array.from(softmax(scores)) }
}

/** Desai and Ramaswamy 2020, equation 2: the relative loss of the target's logit when a channel is zero. Only the head runs. */
export async function ablationCamWeights({ model, image, lastMap, target }: Explained): Promise<ChannelWeights> {
  const { values } = await model.ask({ feeds: { image }, read: [lastMap, model.logits] })
  const map = answered(values, lastMap)
  const whole = answered(values, model.logits).data[target] ?? NaN
  const scores = await everyScalar(explaining(model, target), withoutEachChannel(lastMap, map), ABLATION_CAM_BATCH)
  return { map, weights: scores.map((score) => (whole - score) / whole) }
}
