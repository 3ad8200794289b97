/**
 * Checks a gradient along one random direction (Griewank and Walther, as in jax.test_util): <gradient, d> against five-point
 * finite differences of <cotangent, output> along d. Keep inputs away from kinks.
 */
import type { Cotangent, ExplainableModel } from '../../lib/engine/model.ts'
import type { TapId } from '../../lib/engine/tap-id.ts'
import { float32, type FloatTensor, type Tensor } from '../../lib/tensor/tensor.ts'
import { normals } from './random.ts'

export interface GradientCheck {
  /** <gradient, d>, from the engine. */
  readonly exact: number
  /** The same from differences of outputs. */
  readonly differences: number
  /** |exact - differences| / (|gradient| |d|), so that a small projection of a large gradient is not judged harshly. */
  readonly error: number
}

export async function checkGradient(
  model: ExplainableModel,
  feeds: Readonly<Record<string, Tensor>>,
  wrt: readonly TapId[],
  of: Cotangent,
  step = 0.02,
): Promise<GradientCheck> {
  const outputs = Object.keys(of)
  const { gradients } = await model.ask({ feeds, read: [], gradient: { of, wrt } })
  const directions = wrt.map((name, index) => {
    const value = feeds[name] as FloatTensor
    return normals(value.data.length, 991 + index)
  })
  const scalarAt = async (distance: number): Promise<number> => {
    const moved = { ...feeds }
    for (const [index, name] of wrt.entries()) {
      const value = feeds[name] as FloatTensor
      const direction = directions[index] as Float32Array
      moved[name] = float32(
        value.data.map((one, at) => one + distance * (direction[at] as number)),
        value.dims,
      )
    }
    const { values } = await model.ask({ feeds: moved, read: outputs })
    let total = 0
    for (const name of outputs) {
      const [y, weight] = [values[name] as FloatTensor, of[name] as FloatTensor]
      for (let at = 0; at < y.data.length; at++) total += (y.data[at] as number) * (weight.data[at] as number)
    }
    return total
  }
  const [far, near] = [2 * step, step]
  const differences =
    (8 * ((await scalarAt(near)) - (await scalarAt(-near))) - ((await scalarAt(far)) - (await scalarAt(-far)))) /
    (12 * step)
  let [exact, gradientSquare, directionSquare] = [0, 0, 0]
  for (const [index, name] of wrt.entries()) {
    const gradient = gradients[name] as FloatTensor
    const direction = directions[index] as Float32Array
    for (let at = 0; at < gradient.data.length; at++) {
      const [g, d] = [gradient.data[at] as number, direction[at] as number]
      exact += g * d
      gradientSquare += g * g
      directionSquare += d * d
    }
  }
  const scale = Math.sqrt(gradientSquare * directionSquare) || 1
  return { exact, differences, error: Math.abs(exact - differences) / scale }
}
