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
import type { Diagnosis } from '../../diagnosis.ts'
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

/** What a reader of a CAM's outputs finds: the map [H, W], raw and signed, and what there is to say about how it came about. */
export interface FoundMap {
  readonly map: FloatTensor
  readonly diagnoses?: readonly Diagnosis[]
}

/** A CAM that reads a layer once: what is computed where the layer is, and what its numbers become. */
export interface CamReading<P> {
  /** Of A and g, both [N, C, H, W]: a tensor a name, [N, ...]. One that reads no gradient never mentions g. */
  readonly outputs: (activation: Formula, gradient: Formula, params: P) => Readonly<Record<string, Formula>>
  /** One row's outputs to the map; by default the output `map`, [1, H, W], as it is. */
  readonly found?: (outputs: Readonly<Record<string, FloatTensor>>, params: P) => FoundMap
}

type Described<P> = Omit<ImageMethod<P>, 'modality' | 'family' | 'needs' | 'output' | 'cost' | 'reading' | 'run'>

/**
 * A CAM made of a layer, and of its gradient where it `needs` one: describes itself and says how the two become a map.
 * Its reading is one row at one tap, so that a wrapper may read it of several layers, targets or noisy inputs at once.
 */
export function readingCam<P extends LayerParams>(
  description: Described<P> & { readonly gradient: boolean; readonly classAgnostic?: true },
  { outputs: outputsOf, found = (outputs) => ({ map: plane(outputs[MAP]) }) }: CamReading<P>,
): ImageMethod {
  const { gradient: differentiates, classAgnostic, ...described } = description
  const reading = (context: ImageContext, params: P): Reading => {
    const tap = tapIn(context)
    const g = gradient(tap.id)
    return {
      target: context.target,
      outputs: {
        ...outputsOf(value(tap.id), g, params),
        ...(differentiates ? { [LARGEST_GRADIENT]: max(abs(g), EVERY_AXIS) } : {}),
      },
      attribution: (outputs) => found(outputs, params).map,
    }
  }
  return imageMethod<P>({
    ...described,
    modality: 'image',
    family: 'CAM',
    needs: [{ place: 'spatial-tap', ...(differentiates ? { gradient: true } : {}) }],
    output: { kind: 'map', signed: true, complete: false, ...(classAgnostic === undefined ? {} : { classAgnostic }) },
    // One forward and one backward pass; the backward one is dearest at the first layers.
    cost: () => (differentiates ? 4 : 1),
    reading,
    async run(context, params) {
      const { outputs, logits, target } = await readOnce(context, reading(context, params))
      const { map, diagnoses = [] } = found(outputs, params)
      const largestGradient = outputs[LARGEST_GRADIENT]?.data[0] ?? null
      context.progress(1)
      return {
        kind: 'image',
        map,
        layer: tapIn(context).id,
        logits,
        diagnoses: [...diagnoses, ...diagnoseMap(map, logits, target, largestGradient, context.head.link)],
      }
    },
  })
}

/**
 * A CAM that has no parameter but its layer, and whose map is one formula of the layer and its gradient.
 * @param combine A and g, both [N, C, H, W], to the raw signed map [N, 1, H, W]
 */
export function gradientCam(
  description: Omit<Described<LayerParams>, 'params'>,
  combine: (activation: Formula, gradient: Formula) => Formula,
): ImageMethod {
  return readingCam<LayerParams>(
    { ...description, params: layerParams, gradient: true },
    { outputs: (activation, slope) => ({ [MAP]: combine(activation, slope) }) },
  )
}
