/**
 * The inner loops of Score-CAM and Ablation-CAM, written on the engine's questions: one weight a channel of the last map.
 * Letters: C channels of the map, K classes.
 */
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { Masker } from './masks.ts'

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
export const SCORE_CAM_BATCH = 16
export const ABLATION_CAM_BATCH = 64

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

/** Wang et al. 2020, equations 5 to 8: softmax over the channels of the target's logit for the picture behind each mask. */
export async function scoreCamWeights({ model, image, lastMap, target }: Explained): Promise<ChannelWeights> {
  const { values } = await model.ask({ feeds: { image }, read: [lastMap] })
  const map = answered(values, lastMap)
  const [, channels = 0] = map.dims
  const masker = new Masker(image, map)
  const size = image.data.length
  const batch = new Float32Array(SCORE_CAM_BATCH * size)
  const scores = new Float64Array(channels)
  for (let start = 0; start < channels; start += SCORE_CAM_BATCH) {
    const rows = Math.min(SCORE_CAM_BATCH, channels - start)
    for (let row = 0; row < rows; row++) masker.write(start + row, batch, row * size)
    const masked = float32(batch.subarray(0, rows * size), [rows, ...image.dims.slice(1)])
    const answer = await model.ask({ feeds: { image: masked }, read: [model.logits] })
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
  const [, channels = 0, height = 0, width = 0] = map.dims
  const area = height * width
  const size = channels * area
  const batch = new Float32Array(ABLATION_CAM_BATCH * size)
  for (let row = 0; row < ABLATION_CAM_BATCH; row++) batch.set(map.data, row * size)
  const weights = new Float64Array(channels)
  for (let start = 0; start < channels; start += ABLATION_CAM_BATCH) {
    const rows = Math.min(ABLATION_CAM_BATCH, channels - start)
    for (let row = 0; row < rows; row++) {
      const zeroed = (start + row) * area
      batch.fill(0, row * size + zeroed, row * size + zeroed + area)
    }
    const from = { [lastMap]: float32(batch.subarray(0, rows * size), [rows, channels, height, width]) }
    const answer = await model.ask({ from, read: [model.logits] })
    targets(answered(answer.values, model.logits), target).forEach((logit, row) => {
      weights[start + row] = (whole - logit) / whole
      const restored = (start + row) * area
      batch.set(map.data.subarray(restored, restored + area), row * size + restored)
    })
  }
  return { map, weights }
}
