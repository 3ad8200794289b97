/** The gradient of a strided convolution, by zeros between the values of its cotangent. */
import type { Builder } from '../../../graph/builder.ts'
import { intAttribute, type Constant, type GraphNode } from '../../../graph/graph.ts'
import { blockedMap, spaced } from '../blocked.ts'
import { output } from '../rule.ts'
import { flippedKernel } from './kernel.ts'
import type { Window } from './window.ts'

/**
 * The gradient of a strided convolution in operators that keep the blocked layout: the cotangent with zeros between its
 * values, then a convolution with the flipped kernel. That is more arithmetic than a transposed convolution, by the product
 * of the strides, so it pays for depthwise kernels and for those of one tap, whose zeros may come last. Null elsewhere.
 */
export function spacedGradient(
  build: Builder,
  node: GraphNode,
  g: string,
  x: string,
  kernel: Constant,
  { strides, dilations, pads, ...window }: Window,
): string | null {
  const [from, to] = [blockedMap(build, x), blockedMap(build, output(node))]
  const [a = 1, b = 1] = strides
  if (from === null || to === null || a * b === 1) return null
  const group = intAttribute(node, 'group') ?? 1
  const flipped = () => build.constant(flippedKernel(kernel, group))
  const extents = [to.height * a, to.width * b]
  const points = window.kernel.every((extent) => extent === 1) && pads.every((pad) => pad === 0)
  if (points && group === 1)
    return extents[0] === from.height && extents[1] === from.width
      ? spaced(build, build.op('Conv', [g, flipped()]), x, { ...from, height: to.height, width: to.width }, [a, b])
      : null
  if (group !== from.channels || group !== to.channels) return null
  const before = window.kernel.map((extent, axis) => (extent - 1) * (dilations[axis] ?? 1) - (pads[axis] ?? 0))
  const behind = [from.height, from.width].map((extent, axis) => {
    const reach = ((window.kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1)
    return extent + reach - (extents[axis] ?? 0) - (before[axis] ?? 0)
  })
  if ([...before, ...behind].some((pad) => pad < 0)) return null
  const wide = spaced(build, g, x, to, [a, b])
  return wide === null
    ? null
    : build.op('Conv', [wide, flipped()], {
        group,
        kernel_shape: window.kernel,
        dilations,
        pads: [...before, ...behind],
      })
}
