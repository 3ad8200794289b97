/** A layer of the tiny CNN and its gradient by finite differences: shares no line with the methods or the CNN's backward pass. */
import { tinyFeed } from './tiny-cnn.ts'
import type { TinyCnn } from './tiny-cnn.ts'

/** [channels, height, width] of its spatial layers. */
export const TINY_SHAPES = {
  input: [3, 6, 6],
  conv1: [4, 6, 6],
  relu1: [4, 6, 6],
  pool1: [4, 3, 3],
  conv2: [5, 3, 3],
  relu2: [5, 3, 3],
} as const
export type TinyLayer = keyof typeof TINY_SHAPES

/** Every layer with every class, for `it.each`. */
export const TINY_CASES = (Object.keys(TINY_SHAPES) as TinyLayer[]).flatMap((layer) =>
  [0, 1, 2].map((index) => ({ layer, index })),
)

/** `activation[k][i]` and `gradient[k][i]` of a class's logit, i over height x width. Exact but for rounding: all pieces are linear. */
export function literalReading(
  model: TinyCnn,
  layer: TinyLayer,
  index: number,
): { readonly activation: readonly (readonly number[])[]; readonly gradient: readonly (readonly number[])[] } {
  const [channels, height, width] = TINY_SHAPES[layer]
  const values = model.forward(tinyFeed().data)[layer] ?? []
  const step = 1e-6
  const score = (at: number, change: number): number =>
    model.forwardFrom(layer, values.with(at, (values[at] ?? NaN) + change))['logits']?.[index] ?? NaN
  const perChannel = (value: (at: number) => number): number[][] =>
    Array.from({ length: channels }, (_, k) =>
      Array.from({ length: height * width }, (__, i) => value(k * height * width + i)),
    )
  return {
    activation: perChannel((at) => values[at] ?? NaN),
    gradient: perChannel((at) => (score(at, step) - score(at, -step)) / (2 * step)),
  }
}
