/**
 * Gradient rules of convolutions. N batch, C input and M output channels, S spatial extents, K kernel extents, O output
 * extents; every formula is per spatial axis: O = (S + pads - ((K - 1) d + 1)) / stride + 1, rounded down.
 */
import type { Builder } from '../../graph/builder.ts'
import {
  describeNode,
  intAttribute,
  intsAttribute,
  textAttribute,
  type Dim,
  type GraphNode,
} from '../../graph/graph.ts'
import { blockedChannels, line } from './blocked.ts'
import { convWeightGradient, refusesOpenGroups } from './convolution/kernel-gradient.ts'
import { flippedKernel, kernelOf, refusesOpenKernel } from './convolution/kernel.ts'
import { phasedGradient } from './convolution/phased-gradient.ts'
import { spacedGradient } from './convolution/spaced-gradient.ts'
import { transposedConvolution } from './convolution/transposed-convolution.ts'
import { isNumber, refusesAutoPad, windowOf, type Window } from './convolution/window.ts'
import { firstOf, input, output, type RuleEntry } from './rule.ts'

/** Gradient of a convolution at its input: a convolution where it can be, a transposed one where it strides. */
export function convInputGradient(
  build: Builder,
  node: GraphNode,
  g: string,
  x: string,
  w: string,
  window: Window,
): string {
  const group = intAttribute(node, 'group') ?? 1
  const { rank, kernel, strides, dilations, pads } = window
  const backPads = pads.map((pad, index) => {
    const axis = index % rank
    return ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) - pad
  })
  const constant = build.value(w)
  if (constant) {
    const blocked =
      spacedGradient(build, node, g, x, constant, window) ?? phasedGradient(build, node, g, x, constant, window)
    if (blocked !== null) return blocked
  }
  if (constant && strides.every((stride) => stride === 1) && backPads.every((pad) => pad >= 0))
    return build.op('Conv', [g, build.constant(flippedKernel(constant, group))], {
      group, kernel_shape: kernel, dilations, pads: backPads,
    }) // prettier-ignore
  const transposed = transposedConvolution(build, g, w, group, window, x)
  // What is added to it and multiplied with it stays in the blocked layout only if it is there itself.
  const channels = blockedChannels(build, x)
  return channels === null ? transposed : line(build, transposed, channels, 1, 0)
}

export const conv: RuleEntry = {
  refuses: firstOf(refusesOpenKernel, refusesAutoPad, refusesOpenGroups),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [x, w, bias] = [input(node, 0), input(node, 1), input(node, 2)]
    const kernel = kernelOf(build, node, w)
    const window = windowOf(build, node, kernel)
    return [
      wanted[0] ? convInputGradient(build, node, g, x, w, window) : null,
      wanted[1] ? convWeightGradient(build, node, [x, input(node, 0)], [g, output(node)], window) : null,
      wanted[2] && bias !== '' ? build.sum(g, [0, ...kernel.map((_, axis) => axis + 2)], false) : null,
    ]
  },
}

/** y = ConvTranspose(x): the gradient at x is the convolution whose transpose it is. */
export const convTranspose: RuleEntry = {
  refuses: firstOf(refusesOpenKernel, refusesOpenGroups, (node, build) =>
    statesPads(node) ||
    [...spatialExtents(build, input(node, 0)), ...spatialExtents(build, output(node))].every(isNumber)
      ? null
      : 'output_shape or auto_pad needs a fixed input size: export with explicit pads',
  ),
  rule: (node, [g], build, wanted) => {
    if (!g) return []
    const [x, w, bias] = [input(node, 0), input(node, 1), input(node, 2)]
    const kernel = kernelOf(build, node, w)
    const window = transposedWindow(build, node, kernel)
    const { strides, dilations, pads } = window
    const group = intAttribute(node, 'group') ?? 1
    return [
      wanted[0] ? build.op('Conv', [g, w], { group, kernel_shape: kernel, strides, dilations, pads }) : null,
      wanted[1] ? convWeightGradient(build, node, [g, output(node)], [x, x], window) : null,
      wanted[2] && bias !== '' ? build.sum(g, [0, ...kernel.map((_, axis) => axis + 2)], false) : null,
    ]
  },
}

/** Does a ConvTranspose state its pads, and not the output's size? */
function statesPads(node: GraphNode): boolean {
  const autoPad = textAttribute(node, 'auto_pad') ?? 'NOTSET'
  return autoPad === 'VALID' || (autoPad === 'NOTSET' && intsAttribute(node, 'output_shape') === undefined)
}

/** [null] where the rank is unknown. */
function spatialExtents(build: Builder, name: string): readonly Dim[] {
  return build.shape(name)?.slice(2) ?? [null]
}

/** Pads of a ConvTranspose, worked out from the output's size where the node states that instead. */
function transposedWindow(build: Builder, node: GraphNode, kernel: readonly number[]): Window {
  const rank = kernel.length
  if (statesPads(node)) return windowOf(build, node, kernel)
  const strides = intsAttribute(node, 'strides') ?? kernel.map(() => 1)
  const dilations = intsAttribute(node, 'dilations') ?? kernel.map(() => 1)
  const extra = intsAttribute(node, 'output_padding') ?? kernel.map(() => 0)
  const [from, to] = [spatialExtents(build, input(node, 0)), spatialExtents(build, output(node))]
  const totals = kernel.map((k, axis) => {
    const [s, o] = [from[axis], to[axis]]
    if (!isNumber(s) || !isNumber(o)) throw new Error(`${describeNode(node)}: open extents, which its rule refuses`)
    return (strides[axis] ?? 1) * (s - 1) + (extra[axis] ?? 0) + (k - 1) * (dilations[axis] ?? 1) + 1 - o
  })
  const upper = textAttribute(node, 'auto_pad') === 'SAME_UPPER'
  const before = totals.map((total) => (upper ? Math.floor(total / 2) : total - Math.floor(total / 2)))
  const pads = [...before, ...totals.map((total, axis) => total - (before[axis] ?? 0))]
  return { rank, kernel, strides, dilations, pads }
}
