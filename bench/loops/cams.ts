/**
 * The inner loops of Score-CAM and Ablation-CAM, written on the engine's questions: one weight a channel of the last map.
 * Letters: C channels of the map, K classes.
 */
import { add, divide, given, matmul, max, min, multiply, subtract, type Formula } from '../../lib/engine/formula.ts'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { enlarging } from './enlarging.ts'

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

function answered(tensors: Readonly<Record<string, FloatTensor>>, name: string): FloatTensor {
  const tensor = tensors[name]
  if (tensor === undefined) throw new Error(`no answer for ${name}`)
  return tensor
}

/** The target's logits, a row each. */
function targets(logits: FloatTensor, target: number): Float64Array {
  const [rows = 0, classes = 0] = logits.dims
  return Float64Array.from({ length: rows }, (_, row) => logits.data[row * classes + target] ?? NaN)
}

/** sum_k weight_k A^k: [h, w], signed. */
export function weightedMap({ map, weights }: ChannelWeights): FloatTensor {
  const [, , height = 0, width = 0] = map.dims
  const area = height * width
  const sums = new Float64Array(area)
  weights.forEach((weight, channel) => {
    for (let at = 0; at < area; at++) sums[at] = (sums[at] ?? 0) + weight * (map.data[channel * area + at] ?? NaN)
  })
  return float32(Float32Array.from(sums), [height, width])
}

/** pytorch-grad-cam's, so that a constant channel is a mask of zeros. */
const LEAST_RANGE = 1e-8

/** The picture behind a mask: a channel of the map enlarged to the picture, then scaled to 0..1 by its own extremes there. */
function maskedPicture(): Formula {
  const enlarged = matmul(matmul(given('down'), given('channel')), given('across')) // [N, 1, H, W]
  const least = min(enlarged, [2, 3])
  const range = add(subtract(max(enlarged, [2, 3]), least), LEAST_RANGE)
  return multiply(given('picture'), divide(subtract(enlarged, least), range)) // [N, 3, H, W]
}

/** Wang et al. 2020, equations 5 to 8: softmax over the channels of the target's logit for the picture behind each mask. */
export async function scoreCamWeights({ model, image, lastMap, target }: Explained): Promise<ChannelWeights> {
  const { values } = await model.ask({ feeds: { image }, read: [lastMap] })
  const map = answered(values, lastMap)
  const [, channels = 0, rows = 0, columns = 0] = map.dims
  const [, , height = 0, width = 0] = image.dims
  const shared = { picture: image, down: enlarging(rows, height, 'down'), across: enlarging(columns, width, 'across') }
  const scores = new Float64Array(channels)
  for (let start = 0; start < channels; start += SCORE_CAM_BATCH) {
    const count = Math.min(SCORE_CAM_BATCH, channels - start)
    const cells = map.data.subarray(start * rows * columns, (start + count) * rows * columns)
    const perRow = { channel: float32(cells, [count, 1, rows, columns]) }
    const formulas = { shared, perRow, inputs: { image: maskedPicture() } }
    const answer = await model.ask({ read: [model.logits], formulas })
    scores.set(targets(answered(answer.values, model.logits), target), start)
  }
  const largest = Math.max(...scores)
  const exponentials = scores.map((score) => Math.exp(score - largest))
  const total = exponentials.reduce((sum, value) => sum + value, 0)
  return { map, weights: exponentials.map((value) => value / total) }
}

/** Desai and Ramaswamy 2020, equation 2: the relative loss of the target's logit when a channel is zero. Only the head runs. */
export async function ablationCamWeights({ model, image, lastMap, target }: Explained): Promise<ChannelWeights> {
  const { values } = await model.ask({ feeds: { image }, read: [lastMap, model.logits] })
  const map = answered(values, lastMap)
  const [whole = NaN] = targets(answered(values, model.logits), target)
  const [, channels = 0] = map.dims
  const weights = new Float64Array(channels)
  for (let start = 0; start < channels; start += ABLATION_CAM_BATCH) {
    const count = Math.min(ABLATION_CAM_BATCH, channels - start)
    const kept = new Float32Array(count * channels).fill(1)
    for (let row = 0; row < count; row++) kept[row * channels + start + row] = 0
    const formulas = {
      shared: { map },
      perRow: { kept: float32(kept, [count, channels, 1, 1]) },
      inputs: { [lastMap]: multiply(given('map'), given('kept')) },
    }
    const answer = await model.ask({ read: [model.logits], formulas })
    targets(answered(answer.values, model.logits), target).forEach((logit, row) => {
      weights[start + row] = (whole - logit) / whole
    })
  }
  return { map, weights }
}
