/** Gradients checked along one random direction, as jax does. */
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import type { TapId } from '../../../../lib/engine/tap-id.ts'
import { float32, type FloatTensor, type Tensor } from '../../../../lib/tensor/tensor.ts'
import { randomTensor } from './keras-models.ts'

function dot(a: FloatTensor, b: FloatTensor): number {
  return a.data.reduce((sum, value, index) => sum + value * (b.data[index] ?? NaN), 0)
}

function moved(point: FloatTensor, direction: FloatTensor, step: number): FloatTensor {
  return float32(
    point.data.map((value, index) => value + step * (direction.data[index] ?? 0)),
    point.dims,
  )
}

/**
 * |directional derivative by the engine - by central differences| / the larger of them, of a random combination of the
 * logits with respect to the tap.
 * @param step the scalar is in float32, so steps below 1e-3 drown in rounding.
 */
export async function directionalError(
  model: ExplainableModel,
  feeds: Readonly<Record<string, Tensor>>,
  tap: TapId,
  step = 2e-3,
): Promise<number> {
  const at = await model.ask({ feeds, read: [tap, model.logits] })
  const point = at.values[tap]
  const logits = at.values[model.logits]
  if (point === undefined || logits === undefined) throw new Error(`no value at ${tap}`)
  const weights = randomTensor(logits.dims, 11)
  const direction = randomTensor(point.dims, 12)
  const isFeed = model.inputs.includes(tap)
  const scalar = async (value: FloatTensor): Promise<number> => {
    const question = isFeed ? { feeds: { ...feeds, [tap]: value } } : { feeds, from: { [tap]: value } }
    const { values } = await model.ask({ ...question, read: [model.logits] })
    const found = values[model.logits]
    if (found === undefined) throw new Error('no logits')
    return dot(found, weights)
  }
  const { gradients } = await model.ask({ feeds, read: [], gradient: { of: { [model.logits]: weights }, wrt: [tap] } })
  const gradient = gradients[tap]
  if (gradient === undefined) throw new Error(`no gradient at ${tap}`)
  if (gradient.dims.join() !== point.dims.join())
    throw new Error(`gradient at ${tap}: wrong shape ${gradient.dims.join()}`)
  const analytic = dot(gradient, direction)
  const numeric =
    ((await scalar(moved(point, direction, step))) - (await scalar(moved(point, direction, -step)))) / (2 * step)
  const size = Math.max(Math.abs(analytic), Math.abs(numeric))
  if (!(size > 1e-3)) throw new Error(`derivative at ${tap} is too small to check: ${analytic}, ${numeric}`)
  return Math.abs(analytic - numeric) / size
}
