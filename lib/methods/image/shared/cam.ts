/**
 * What the CAM methods have in common: a map that is a formula of a layer and its gradient.
 *
 * Letters: N batch, C channels, H x W spatial extent of the layer, K classes; A activation, g = dS_c/dA gradient of the
 * explained scalar.
 */
import { AppError } from '../../../errors.ts'
import { abs, gradient, max, mean, multiply, sum, value, type Formula } from '../../../engine/formula.ts'
import { row, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { imageMethod, type ImageMethod } from '../../method.ts'
import { readOnce, tapIn, type Reading } from '../../shared/reading.ts'
import { diagnoseMap } from './diagnose.ts'
import { layerParams, type LayerParams } from './layer.ts'

/** Names of outputs that every gradient method of pictures has. */
export const MAP = 'map'
export const LARGEST_GRADIENT = 'largest gradient'

/** [1, H, W] -> [H, W] */
export function plane(map: FloatTensor | undefined): FloatTensor {
  if (map === undefined) throw new AppError({ code: 'INTERNAL', message: 'the engine did not answer with a map' })
  return row(map, 0)
}

const EVERY_AXIS = [1, 2, 3]
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
  description: Pick<ImageMethod, 'id' | 'version' | 'title' | 'summary' | 'meaning' | 'misleads' | 'paper'>,
  combine: (activation: Formula, gradient: Formula) => Formula,
): ImageMethod {
  const reading = (context: ImageContext): Reading => {
    const tap = tapIn(context)
    const g = gradient(tap.id)
    return {
      target: context.target,
      outputs: { [MAP]: combine(value(tap.id), g), [LARGEST_GRADIENT]: max(abs(g), EVERY_AXIS) },
      attribution: (outputs) => plane(outputs[MAP]),
    }
  }
  return imageMethod<LayerParams>({
    ...description,
    modality: 'image',
    family: 'CAM',
    needs: [{ place: 'spatial-tap', gradient: true }],
    params: layerParams,
    output: { kind: 'map', signed: true, complete: false },
    // One forward and one backward pass; the backward one is dearest at the first layers.
    cost: () => 4,
    reading,
    async run(context) {
      const of = reading(context)
      const { outputs, logits, target } = await readOnce(context, of)
      const map = of.attribution(outputs)
      const largestGradient = outputs[LARGEST_GRADIENT]?.data[0] ?? Number.NaN
      context.progress(1)
      return {
        kind: 'image',
        map,
        layer: tapIn(context).id,
        logits,
        diagnoses: diagnoseMap(map, logits, target, largestGradient, context.head.link),
      }
    },
  })
}
