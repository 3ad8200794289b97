/** The tensors that a question gives to its formulas. */
import { AppError } from '../errors.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { leavesOf, type Formula, type Leaf } from './formula.ts'
import type { Cotangent, Formulas } from './model.ts'

export interface Given {
  /** Name -> shape, the first axis null where it is the batch's rows. */
  readonly shapes: Readonly<Record<string, readonly (number | null)[]>>
  /** For formulas that stand in place of inputs. @throws AppError BAD_INPUT for values and gradients, which are not known yet. */
  tensorOf(leaf: Leaf): FloatTensor
  dimsOf(leaf: Leaf): readonly number[]
}

function badInput(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

/**
 * @throws AppError BAD_INPUT where a shared tensor has rows, two tensors per row have not as many, a name is given twice, or
 *   a formula names a tensor that is not given.
 */
export function givenIn({ shared = {}, perRow = {} }: Formulas): Given {
  const shapes: Record<string, readonly (number | null)[]> = {}
  for (const [name, { dims }] of Object.entries(shared)) {
    if (dims[0] !== 1)
      throw badInput(`"${name}" is the same for every row: its first axis must be 1, found [${dims.join(', ')}].`)
    shapes[name] = dims
  }
  const rows = Object.values(perRow)[0]?.dims[0]
  for (const [name, { dims }] of Object.entries(perRow)) {
    if (name in shared) throw badInput(`"${name}" is given twice.`)
    if (dims[0] === undefined || dims[0] !== rows)
      throw badInput(
        `"${name}" has the shape [${dims.join(', ')}], other tensors ${rows ?? 'no'} rows. Give as many of each.`,
      )
    shapes[name] = [null, ...dims.slice(1)]
  }
  const tensorOf = (leaf: Leaf): FloatTensor => {
    if (leaf.kind !== 'given')
      throw badInput(`A formula for an input reads the ${leaf.kind} of "${leaf.tap}", which is not known yet.`)
    const tensor = perRow[leaf.name] ?? shared[leaf.name]
    if (tensor === undefined) throw badInput(`A formula names "${leaf.name}", which is not given.`)
    return tensor
  }
  return { shapes, tensorOf, dimsOf: (leaf) => tensorOf(leaf).dims }
}

/**
 * Those weights of a scalar that are computed.
 * @throws AppError BAD_INPUT where one reads a gradient.
 */
export function computedWeights(of: Cotangent = {}): Readonly<Record<string, Formula>> {
  const computed: Record<string, Formula> = {}
  for (const [output, weights] of Object.entries(of)) {
    if (!('kind' in weights)) continue
    const gradient = leavesOf(weights).find((leaf) => leaf.kind === 'gradient')
    if (gradient !== undefined)
      throw badInput(
        `The cotangent of "${output}" reads the gradient of "${gradient.tap}", which is computed of that cotangent. It may read values of layers, given tensors and numbers.`,
      )
    computed[output] = weights
  }
  return computed
}
