/**
 * One map of several layers: the mean of their maps, each without its negative part, brought to 0..1 by its own extremes and
 * enlarged, as pytorch-grad-cam has it. Layers of any size and unit count alike.
 */
import { upsampleBilinear } from '../../../render/upsample.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'

/** A map without its negative part, 0..1; zeros where it is the same everywhere. */
function normalised({ dims, data }: FloatTensor): FloatTensor {
  const rectified = data.map((value) => Math.max(0, value))
  const [least, most] = rectified.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)] as const,
    [Infinity, -Infinity] as readonly [number, number],
  )
  return float32(
    rectified.map((value) => (most > least ? (value - least) / (most - least) : 0)),
    dims,
  )
}

/**
 * @param maps of one input, [h, w] each, raw
 * @param extent [H, W] of the result
 */
export function meanOfLayers(maps: readonly FloatTensor[], [height, width]: readonly [number, number]): FloatTensor {
  const sum = new Float64Array(height * width)
  for (const map of maps) {
    const { data } = upsampleBilinear(normalised(map), width, height)
    for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + (data[at] as number) / maps.length
  }
  return float32(Float32Array.from(sum), [height, width])
}
