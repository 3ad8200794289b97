/** The layer that a model's questions are about where none is named. */
import type { Tap } from '../../model.ts'

/**
 * Last feature map of a CNN, word embedding of a text model, else the first differentiable tap. A map that is another one
 * rounded is passed over: a quantised model so has the layer of the float model that it was made of.
 */
export function sensibleTap(taps: readonly Tap[]): string {
  const usable = taps.filter((tap) => tap.differentiable)
  const isRounded = (tap: Tap): boolean => tap.operator === 'DequantizeLinear' && tap.kind === 'other'
  const tap =
    usable.findLast((one) => one.spatial && one.kind !== 'input' && !isRounded(one)) ??
    usable.find((one) => one.kind === 'embedding') ??
    usable[0] ??
    taps[0]
  return tap?.id ?? ''
}
