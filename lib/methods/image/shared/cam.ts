/**
 * What the CAM methods have in common: one question for a map that is a formula of a layer and its gradient.
 *
 * Letters: N batch, C channels, H x W spatial extent of the layer, K classes; A activation, g = dS_c/dA gradient of the
 * explained class's logit.
 */
import { AppError } from '../../../errors.ts'
import { abs, gradient, max, mean, multiply, sum, value, type Formula } from '../../../engine/formula.ts'
import type { Answer, ExplainableModel, Tap, TapId } from '../../../engine/model.ts'
import { row, zeros } from '../../../tensor/tensor.ts'
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

/** A map made of a layer, with what its diagnosis needs. */
export interface LayerMap {
  /** [H, W] */
  readonly map: FloatTensor
  /** [K] */
  readonly logits: FloatTensor
}

const MAP = 'map'
const LARGEST_GRADIENT = 'largest gradient'

/** A map [1, 1, H, W] that is a formula of the layer's values, with tensors that it names: one forward pass up to the logits. */
export async function mapOfLayer(
  context: ImageContext,
  map: Formula,
  shared: Readonly<Record<string, FloatTensor>> = {},
): Promise<LayerMap> {
  const { model, feeds, signal } = context
  throwIfCancelled(signal)
  const answer = await model.ask({ feeds, read: [model.logits], formulas: { shared, outputs: { [MAP]: map } } }, signal)
  throwIfCancelled(signal)
  return { map: plane(answer.computed), logits: answered(answer.values, model.logits) }
}

/** As {@link mapOfLayer}, of the class's gradient too, in one question with a forward and a backward pass. */
async function mapOfGradient(
  context: ImageContext,
  tap: Tap,
  combine: (activation: Formula, gradient: Formula) => Formula,
): Promise<LayerMap & { readonly largestGradient: number }> {
  const { model, feeds, signal } = context
  throwIfCancelled(signal)
  const cotangent = await oneClass(context)
  const g = gradient(tap.id)
  const outputs = { [MAP]: combine(value(tap.id), g), [LARGEST_GRADIENT]: max(abs(g), EVERY_AXIS) }
  const answer = await model.ask(
    { feeds, read: [model.logits], gradient: { of: { [model.logits]: cotangent }, wrt: [] }, formulas: { outputs } },
    signal,
  )
  throwIfCancelled(signal)
  return {
    map: plane(answer.computed),
    logits: answered(answer.values, model.logits),
    largestGradient: answer.computed[LARGEST_GRADIENT]?.data[0] ?? NaN,
  }
}

/** [1, 1, H, W] -> [H, W] */
function plane(computed: Answer['computed']): FloatTensor {
  return row(answered(computed, MAP), 0)
}

const EVERY_AXIS = [0, 1, 2, 3]
const CHANNELS = [1]
const PLACES = [2, 3]

/** Means over H x W, one a channel: [N, C, H, W] -> [N, C, 1, 1]. */
export const channelMeans = (map: Formula): Formula => mean(map, PLACES)
/** Sums over H x W, one a channel: [N, C, H, W] -> [N, C, 1, 1]. */
export const channelSums = (map: Formula): Formula => sum(map, PLACES)
/** sum_k a_k b_k, position by position: [N, C, H, W] -> [N, 1, H, W]; a weight a channel is [N, C, 1, 1]. */
export const sumOverChannels = (a: Formula, b: Formula): Formula => sum(multiply(a, b), CHANNELS)

/**
 * A CAM made of a layer and its gradient: describes itself and says how the two become a map.
 *
 * @param combine A and g, both [N, C, H, W], to the raw signed map [N, 1, H, W]
 */
export function gradientCam(
  description: Pick<ImageMethod, 'id' | 'version' | 'title' | 'summary' | 'paper'>,
  combine: (activation: Formula, gradient: Formula) => Formula,
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
      const { map, logits, largestGradient } = await mapOfGradient(context, tap, combine)
      context.progress(1)
      return {
        kind: 'image',
        map,
        layer: tap.id,
        logits,
        diagnoses: diagnoseMap(map, logits, context.target.index, largestGradient),
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
