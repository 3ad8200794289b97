/**
 * What the CAM methods have in common: reading a layer and its gradient with one question, and weighing channels.
 *
 * Letters: C channels, H x W spatial extent of the layer, K classes; A activation, g = dS_c/dA gradient of the explained
 * class's logit.
 */
import { AppError } from '../../../errors.ts'
import type { Answer, ExplainableModel, Tap, TapId } from '../../../engine/model.ts'
import { float32, row, zeros } from '../../../tensor/tensor.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'
import { imageMethod } from '../../method.ts'
import type { ImageContext, ImageMethod } from '../../method.ts'
import { diagnoseMap } from './diagnose.ts'
import { differentiableSpatialTap, layerParams } from './layer.ts'

export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
}

/** The first and only row of an answered tensor: [1, ...rest] -> [...rest]. */
function answered(tensors: Answer['values'], id: TapId): FloatTensor {
  const tensor = tensors[id]
  if (tensor === undefined) throw new AppError({ code: 'INTERNAL', message: `the engine did not answer for ${id}` })
  return row(tensor, 0)
}

/** Number of classes, from the graph where it says, else from a forward pass. */
async function classCount(context: ImageContext): Promise<number> {
  const { model, feeds, signal } = context
  const known = model.taps.find((tap) => tap.id === model.logits)?.shape.at(-1)
  if (typeof known === 'number') return known
  return answered((await model.ask({ feeds, read: [model.logits] }, signal)).values, model.logits).data.length
}

/** The cotangent [1, K] that picks one class. */
async function oneClass(context: ImageContext): Promise<FloatTensor> {
  const count = await classCount(context)
  const { index } = context.target
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new AppError({
      code: 'UNKNOWN_LABEL',
      message: `class ${index} of ${count}`,
      userMessage: `This model has ${count} classes, numbered from 0; there is no class ${index}.`,
      details: { index, count },
    })
  const cotangent = zeros([1, count])
  cotangent.data[index] = 1
  return cotangent
}

/** A layer's values, without the batch axis. */
export interface Reading {
  /** [C, H, W] */
  readonly activation: FloatTensor
  /** [K] */
  readonly logits: FloatTensor
}

export async function readLayer(context: ImageContext, tap: Tap): Promise<Reading> {
  const { model, feeds, signal } = context
  throwIfCancelled(signal)
  const answer = await model.ask({ feeds, read: [tap.id, model.logits] }, signal)
  throwIfCancelled(signal)
  return { activation: answered(answer.values, tap.id), logits: answered(answer.values, model.logits) }
}

/** As {@link readLayer}, with g [C, H, W], in the same one question. */
export async function readLayerAndGradient(
  context: ImageContext,
  tap: Tap,
): Promise<Reading & { readonly gradient: FloatTensor }> {
  const { model, feeds, signal } = context
  throwIfCancelled(signal)
  const cotangent = await oneClass(context)
  const answer = await model.ask(
    { feeds, read: [tap.id, model.logits], gradient: { of: { [model.logits]: cotangent }, wrt: [tap.id] } },
    signal,
  )
  throwIfCancelled(signal)
  return {
    activation: answered(answer.values, tap.id),
    logits: answered(answer.values, model.logits),
    gradient: answered(answer.gradients, tap.id),
  }
}

// The two sums below read every value of a layer, which for a small network takes as long as a tenth of its forward pass.
// Four terms a step halve that: a processor need not wait for one sum before it begins the next.

/** Means over H x W, one a channel: [C, H, W] -> [C]. Added up in double precision. */
export function channelMeans(tensor: FloatTensor): Float64Array {
  const [channels = 0, height = 0, width = 0] = tensor.dims
  const plane = height * width
  const { data } = tensor
  const means = new Float64Array(channels)
  for (let channel = 0; channel < channels; channel++) {
    let [a, b, c, d] = [0, 0, 0, 0]
    let at = channel * plane
    const end = at + plane
    for (; at + 3 < end; at += 4) {
      a += data[at] as number
      b += data[at + 1] as number
      c += data[at + 2] as number
      d += data[at + 3] as number
    }
    for (; at < end; at++) a += data[at] as number
    means[channel] = (a + b + c + d) / plane
  }
  return means
}

/** sum_k weight_k A^k: [C, H, W] with [C] -> [H, W]. Added up in double precision. */
export function weightedSum(activation: FloatTensor, weights: ArrayLike<number>): FloatTensor {
  const [channels = 0, height = 0, width = 0] = activation.dims
  const plane = height * width
  const { data } = activation
  const sums = new Float64Array(plane)
  let channel = 0
  for (; channel + 3 < channels; channel += 4) {
    const [start, a, b] = [channel * plane, weights[channel] ?? 0, weights[channel + 1] ?? 0]
    const [c, d] = [weights[channel + 2] ?? 0, weights[channel + 3] ?? 0]
    for (let at = 0, place = start; at < plane; at++, place++)
      sums[at] =
        (sums[at] as number) +
        a * (data[place] as number) +
        b * (data[place + plane] as number) +
        c * (data[place + 2 * plane] as number) +
        d * (data[place + 3 * plane] as number)
  }
  for (; channel < channels; channel++)
    for (let at = 0, place = channel * plane; at < plane; at++, place++)
      sums[at] = (sums[at] as number) + (weights[channel] ?? 0) * (data[place] as number)
  return float32(Float32Array.from(sums), [height, width])
}

/** sum_k f(A^k, g^k), position by position: two [C, H, W] -> [H, W]. Added up in double precision, in order. */
export function elementwiseSum(
  activation: FloatTensor,
  gradient: FloatTensor,
  term: (activation: number, gradient: number) => number,
): FloatTensor {
  const [channels = 0, height = 0, width = 0] = activation.dims
  const plane = height * width
  const sums = new Float64Array(plane)
  for (let channel = 0; channel < channels; channel++)
    for (let at = 0; at < plane; at++) {
      const element = channel * plane + at
      sums[at] = (sums[at] ?? 0) + term(activation.data[element] ?? 0, gradient.data[element] ?? 0)
    }
  return float32(Float32Array.from(sums), [height, width])
}

/**
 * A CAM made of a layer and its gradient: describes itself and says how the two become a map.
 *
 * @param combine A and g, both [C, H, W], to the raw signed map [H, W]
 */
export function gradientCam(
  description: Pick<ImageMethod, 'id' | 'version' | 'title' | 'summary' | 'paper'>,
  combine: (activation: FloatTensor, gradient: FloatTensor) => FloatTensor,
): ImageMethod {
  return imageMethod({
    ...description,
    modality: 'image',
    family: 'CAM',
    needs: ['spatial-tap', 'gradient'],
    params: layerParams,
    output: { kind: 'map', signed: true, complete: false },
    // One forward and one backward pass; the backward one is dearest at the first layers.
    cost: () => 4,
    async run(context, { layer }) {
      const tap = differentiableSpatialTap(context.model, layer)
      const { activation, gradient, logits } = await readLayerAndGradient(context, tap)
      const map = combine(activation, gradient)
      context.progress(1)
      return {
        kind: 'image',
        map,
        layer: tap.id,
        logits,
        diagnoses: diagnoseMap(map, logits, context.target.index, gradient),
      }
    },
  })
}

/** The spatial taps in front of a head that plain CAM can use: global average pooling, then one linear layer. */
export async function tapsWithLinearHead(model: ExplainableModel): Promise<readonly Tap[]> {
  const found: Tap[] = []
  for (const tap of model.taps) if (tap.spatial && (await model.linearHead(tap.id)) !== null) found.push(tap)
  return found
}
