/** Kernels [M, C / group, K]: how large one is, and how it is turned. */
import type { Builder } from '../../../graph/builder.ts'
import { floatConstant, floatsOf } from '../../../graph/constant.ts'
import { describeNode, intsAttribute, type Constant, type GraphNode } from '../../../graph/graph.ts'
import { input, type Refusal } from '../rule.ts'
import { isNumber } from './window.ts'

export const refusesOpenKernel: Refusal = (node, build) =>
  intsAttribute(node, 'kernel_shape') !== undefined || build.shape(input(node, 1))?.slice(2).every(isNumber)
    ? null
    : 'its kernel has no fixed size'

export function kernelOf(build: Builder, node: GraphNode, w: string): readonly number[] {
  const kernel = intsAttribute(node, 'kernel_shape') ?? build.shapeFor(node, w).slice(2)
  if (!kernel.every((dim): dim is number => typeof dim === 'number'))
    throw new Error(`${describeNode(node)}: a kernel of no fixed size, which its rule refuses`)
  return kernel
}

/** w [M, C/g, K] -> [C, M/g, K], taps reversed: the kernel with which a stride-1 gradient is a convolution again. */
export function flippedKernel(kernel: Constant, group: number): Constant {
  const [m = 0, c = 0, ...extents] = kernel.dims
  const size = extents.reduce((product, dim) => product * dim, 1)
  const [mPer, weights] = [m / group, floatsOf(kernel)]
  const flipped = new Float32Array(weights.length)
  for (let part = 0; part < group; part++)
    for (let from = 0; from < mPer; from++)
      for (let to = 0; to < c; to++) {
        const source = ((part * mPer + from) * c + to) * size
        const target = ((part * c + to) * mPer + from) * size
        for (let tap = 0; tap < size; tap++) flipped[target + tap] = weights[source + size - 1 - tap] as number
      }
  return floatConstant(flipped, [c * group, mPer, ...extents])
}
