/** The layer that a model's questions are about where none is named. */
import type { Tap } from '../../model.ts'

/**
 * Word embedding of a text model, last feature map of a CNN, else the first differentiable tap. A map that is another one
 * rounded is passed over: a quantised model so has the layer of the float model that it was made of.
 * @param words the word embeddings, the likeliest first: the default whether or not a gradient reaches it, as the rows of
 *   another table say nothing of the words.
 */
export function sensibleTap(taps: readonly Tap[], words: readonly string[] = []): string {
  const usable = taps.filter((tap) => tap.differentiable)
  const isRounded = (tap: Tap): boolean => tap.operator === 'DequantizeLinear' && tap.kind === 'other'
  const readsPictures = taps.some((one) => one.kind === 'input' && one.shape.length === 4)
  const [word] = words.flatMap((name) => taps.filter((one) => one.id === name))
  const tap =
    (readsPictures ? undefined : word) ??
    usable.findLast((one) => one.spatial && one.kind !== 'input' && !isRounded(one)) ??
    word ??
    usable.find((one) => one.kind === 'embedding') ??
    usable[0] ??
    taps[0]
  return tap?.id ?? ''
}
