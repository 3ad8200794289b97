/** Gradients at the picture: one, and their integral along a path from black, of the parts that methods are made of. */
import { given, multiply, type Formula } from '../../lib/engine/formula.ts'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { summedOverRows, type MadeRows } from '../../lib/methods/shared/made-rows.ts'
import { straightPath } from '../../lib/methods/shared/path-rows.ts'
import { quadrature } from '../../lib/tensor/quadrature.ts'
import { stateScalar } from '../../lib/target/scalar.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { explaining } from './explaining.ts'

export interface Question {
  readonly model: ExplainableModel
  /** [1, 3, H, W], fed as `image`. */
  readonly image: FloatTensor
  readonly target: number
  readonly classes: number
}

/** Simonyan et al. 2013, without the absolute value: [1, 3, H, W]. */
export async function saliency(question: Question): Promise<FloatTensor> {
  const { model, image, target, classes } = question
  const { head, target: logit } = explaining(model, target, classes)
  const answer = await model.ask({
    feeds: { image },
    read: [model.logits],
    gradient: { of: stateScalar(logit, head).of, wrt: ['image'] },
  })
  const found = answer.gradients['image']
  if (found === undefined) throw new Error('no gradient')
  return found
}

/** Sundararajan et al. 2017 from a black picture, Gauss-Legendre points, `batch` at once: [1, 3, H, W]. */
export async function imageIntegratedGradients(question: Question, steps: number, batch: number): Promise<FloatTensor> {
  const { model, image, target, classes } = question
  const { nodes, weights } = quadrature('gauss-legendre', steps)
  const path = straightPath(image, null)
  const rows: MadeRows = {
    place: 'image',
    total: steps,
    at: path.at,
    shared: path.shared,
    perRow: ({ first, count }) => ({
      ...path.perRow(nodes.slice(first, first + count)),
      weight: float32(weights.slice(first, first + count), [count, 1, 1, 1]),
    }),
  }
  const weighted = (slope: Formula): Formula => multiply(given('weight'), slope)
  const sums = await summedOverRows(explaining(model, target, classes), rows, batch, weighted)
  return float32(
    Float32Array.from(sums, (total, at) => total * (image.data[at] as number)),
    image.dims,
  )
}
