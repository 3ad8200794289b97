/** The gradient of a convolution at a kernel that is computed in the graph. */
import type { Builder } from '../../../graph/builder.ts'
import { describeNode, intAttribute, type GraphNode } from '../../../graph/graph.ts'
import { input, output, type Refusal } from '../rule.ts'
import { isNumber, type Window } from './window.ts'

/** The gradient at a computed kernel is taken a group at a time. */
export const refusesOpenGroups: Refusal = (node, build) => {
  if ((intAttribute(node, 'group') ?? 1) === 1 || build.graph.constants.has(input(node, 1))) return null
  const counted = [input(node, 0), output(node)].every((name) => isNumber(build.shape(name)?.[1]))
  return counted ? null : 'its kernel is computed in groups and its channel count is not fixed'
}

/**
 * Gradient at a computed kernel: a convolution of the input with the cotangent, batch and channels exchanged and
 * strides and dilations exchanged, one group at a time.
 */
export function convWeightGradient(
  build: Builder,
  node: GraphNode,
  [x, xShaped]: readonly [string, string],
  [g, gShaped]: readonly [string, string],
  window: Window,
): string {
  const group = intAttribute(node, 'group') ?? 1
  const { kernel, strides, dilations, pads } = window
  const swap = [1, 0, ...kernel.map((_, axis) => axis + 2)]
  const [xs, gs] =
    group === 1
      ? [[x], [g]]
      : [splitChannels(build, node, x, xShaped, group), splitChannels(build, node, g, gShaped, group)]
  const parts = xs.map((one, index) => {
    const raw = build.op('Conv', [build.transpose(one, swap), build.transpose(gs[index] as string, swap)], {
      strides: dilations, dilations: strides, pads,
    }) // prettier-ignore
    // Values behind the last window add rows that belong to no tap.
    const cut = build.op('Slice', [
      raw,
      build.ints(kernel.map(() => 0)),
      build.ints(kernel),
      build.ints(kernel.map((_, axis) => axis + 2)),
    ])
    return build.transpose(cut, swap) // [M/g, C/g, K]
  })
  return parts.length === 1 ? (parts[0] as string) : build.op('Concat', parts, { axis: 0 })
}

function splitChannels(
  build: Builder,
  node: GraphNode,
  name: string,
  shaped: string,
  group: number,
): readonly string[] {
  const channels = build.shapeFor(node, shaped)[1]
  if (!isNumber(channels)) throw new Error(`${describeNode(node)}: groups of unknown size, which its rule refuses`)
  return build.ops(
    'Split',
    [name, build.ints(Array.from({ length: group }, () => channels / group))],
    { axis: 1 },
    group,
  )
}
