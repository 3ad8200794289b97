/** Gradients at the picture, written on the engine's questions: one, and their integral along a path from black. */
import { given, gradient, multiply, sum } from '../../lib/engine/formula.ts'
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

/** The logit of the target, once for each row. */
function ofTarget({ model, target, classes }: Question, rows: number): Record<string, FloatTensor> {
  const weights = new Float32Array(rows * classes)
  for (let row = 0; row < rows; row++) weights[row * classes + target] = 1
  return { [model.logits]: float32(weights, [rows, classes]) }
}

/** Simonyan et al. 2013, without the absolute value: [1, 3, H, W]. */
export async function saliency(question: Question): Promise<FloatTensor> {
  const { model, image } = question
  const answer = await model.ask({
    feeds: { image },
    read: [model.logits],
    gradient: { of: ofTarget(question, 1), wrt: ['image'] },
  })
  const found = answer.gradients['image']
  if (found === undefined) throw new Error('no gradient')
  return found
}

/** Sundararajan et al. 2017 from a black picture, Gauss-Legendre points, `batch` at once: [1, 3, H, W]. */
export async function imageIntegratedGradients(question: Question, steps: number, batch: number): Promise<FloatTensor> {
  const { model, image } = question
  const { nodes, weights } = quadrature('gauss-legendre', steps)
  const perPoint = (values: readonly number[]): FloatTensor => float32(values, [values.length, 1, 1, 1])
  const sums = new Float64Array(image.data.length)
  for (let start = 0; start < steps; start += batch) {
    const alpha = perPoint(nodes.slice(start, start + batch))
    const weight = perPoint(weights.slice(start, start + batch))
    const answer = await model.ask({
      read: [model.logits],
      gradient: { of: ofTarget(question, alpha.data.length), wrt: [] },
      formulas: {
        shared: { picture: image },
        perRow: { alpha, weight },
        inputs: { image: multiply(given('alpha'), given('picture')) },
        outputs: { part: sum(multiply(given('weight'), gradient('image')), [0]) },
      },
    })
    const part = answer.computed['part']?.data ?? []
    for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] as number) + (part[at] as number)
  }
  return float32(
    Float32Array.from(sums, (total, at) => total * (image.data[at] as number)),
    image.dims,
  )
}
