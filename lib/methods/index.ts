/** The methods there are: explicit, in the order in which they are offered. A test holds list == folder == tests. */
import type { Method } from './method.ts'
import { gradCam } from './image/grad-cam.ts'
import { cam } from './image/cam.ts'
import { integratedGradients } from './text/integrated-gradients.ts'
import { inputXGradient } from './text/input-x-gradient.ts'
import { gradientNorm } from './text/gradient-norm.ts'

export const METHODS: readonly Method[] = Object.freeze([
  // image
  gradCam,
  cam,
  // text
  integratedGradients,
  inputXGradient,
  gradientNorm,
])

/** The method of that id, or null. */
export function methodById(id: string): Method | null {
  return METHODS.find((method) => method.id === id) ?? null
}
