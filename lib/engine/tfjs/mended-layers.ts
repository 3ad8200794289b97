/**
 * Layers that TensorFlow.js 4.22 gets wrong as it builds a model. CenterCrop writes its size into the shape of the layer
 * before it, Resizing forgets the batch, RandomWidth does both with a width that is not known yet. What they compute is
 * mended in `layer-parts.ts`.
 */
import * as tf from '@tensorflow/tfjs'

type Shape = (number | null)[]
interface LayerClass {
  readonly prototype: {
    computeOutputShape(this: { getConfig(): Readonly<Record<string, unknown>> }, shape: Shape | Shape[]): Shape
  }
}

/** [N, H, W, C] with another height and width; a shape of [H, W, C] too. */
function resized(shape: Shape | Shape[], height: number | null, width: number | null): Shape {
  const one = (Array.isArray(shape[0]) ? shape[0] : shape) as Shape
  const last = one.length - 1
  return one.map((dim, axis) => (axis === last - 2 ? height : axis === last - 1 ? width : dim))
}

function heightOf(shape: Shape | Shape[]): number | null {
  const one = (Array.isArray(shape[0]) ? shape[0] : shape) as Shape
  return one.at(-3) ?? null
}

/** Idempotent. */
export function mendLayers(): void {
  const { classNameMap } = tf.serialization.SerializationMap.getMap()
  const mend = (name: string, shape: LayerClass['prototype']['computeOutputShape']): void => {
    const [found] = (classNameMap[name] ?? []) as unknown as [LayerClass?]
    if (found !== undefined) found.prototype.computeOutputShape = shape
  }
  for (const name of ['CenterCrop', 'Resizing'])
    mend(name, function (shape) {
      const { height, width } = this.getConfig()
      return resized(shape, Number(height), Number(width))
    })
  mend('RandomWidth', (shape) => resized(shape, heightOf(shape), null))
}
