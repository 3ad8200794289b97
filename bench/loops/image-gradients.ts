/** Gradients at the picture, written on the engine's questions: one, and their integral along a path from black. */
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { quadrature } from '../../lib/tensor/quadrature.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'

export interface Question {
  readonly model: ExplainableModel
  /** [1, 3, H, W], fed as `image`. */
  readonly image: FloatTensor
  readonly target: number
  readonly classes: number
}

/** d logit of the target / d picture for each row of `images`, [N, 3, H, W]. */
async function gradients(
  { model, target, classes }: Omit<Question, 'image'>,
  images: FloatTensor,
): Promise<FloatTensor> {
  const [rows = 0] = images.dims
  const weights = new Float32Array(rows * classes)
  for (let row = 0; row < rows; row++) weights[row * classes + target] = 1
  const answer = await model.ask({
    feeds: { image: images },
    read: [model.logits],
    gradient: { of: { [model.logits]: float32(weights, [rows, classes]) }, wrt: ['image'] },
  })
  const gradient = answer.gradients['image']
  if (gradient === undefined) throw new Error('no gradient')
  return gradient
}

/** Simonyan et al. 2013, without the absolute value: [1, 3, H, W]. */
export function saliency(question: Question): Promise<FloatTensor> {
  return gradients(question, question.image)
}

/** Sundararajan et al. 2017 from a black picture, Gauss-Legendre points, `batch` at once: [1, 3, H, W]. */
export async function imageIntegratedGradients(question: Question, steps: number, batch: number): Promise<FloatTensor> {
  const { image } = question
  const size = image.data.length
  const { nodes, weights } = quadrature('gauss-legendre', steps)
  const sum = new Float64Array(size)
  const points = new Float32Array(batch * size)
  for (let start = 0; start < steps; start += batch) {
    const rows = Math.min(batch, steps - start)
    for (let row = 0; row < rows; row++) {
      const alpha = nodes[start + row] as number
      for (let at = 0; at < size; at++) points[row * size + at] = alpha * (image.data[at] as number)
    }
    const { data } = await gradients(question, float32(points.subarray(0, rows * size), [rows, ...image.dims.slice(1)]))
    for (let row = 0; row < rows; row++) {
      const weight = weights[start + row] as number
      for (let at = 0; at < size; at++) sum[at] = (sum[at] as number) + weight * (data[row * size + at] as number)
    }
  }
  return float32(
    Float32Array.from(sum, (value, at) => value * (image.data[at] as number)),
    image.dims,
  )
}
