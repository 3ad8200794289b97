/**
 * Gradient rules of convolutions. N batch, C input and M output channels, S spatial extents, K kernel extents, O output
 * extents; every formula is per spatial axis: O = (S + pads - ((K - 1) d + 1)) / stride + 1, rounded down.
 */
import { floatConstant, floatsOf } from '../../graph/constant.ts'
import type { Builder } from '../../graph/builder.ts'
import { blockedChannels, blockedMap, line, spaced } from './blocked.ts'
import {
  describeNode,
  intAttribute,
  intsAttribute,
  textAttribute,
  type Constant,
  type Dim,
  type GraphNode,
} from '../../graph/graph.ts'
import { firstOf, input, output, type Refusal, type RuleEntry } from './rule.ts'

export interface Window {
  readonly rank: number
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Zeros before each axis, then behind each axis. */
  readonly pads: readonly number[]
}

const isNumber = (dim: Dim | undefined): dim is number => typeof dim === 'number'

/** `auto_pad` with a stride pads by the extents. */
export const refusesAutoPad: Refusal = (node, build) => {
  if (!(textAttribute(node, 'auto_pad') ?? '').startsWith('SAME')) return null
  const extents = build.shape(input(node, 0))?.slice(2)
  const open = (intsAttribute(node, 'strides') ?? []).some((stride, axis) => stride !== 1 && !isNumber(extents?.[axis]))
  return open ? 'auto_pad with a stride needs a fixed input size: export with explicit pads' : null
}

export const refusesOpenKernel: Refusal = (node, build) =>
  intsAttribute(node, 'kernel_shape') !== undefined || build.shape(input(node, 1))?.slice(2).every(isNumber)
    ? null
    : 'its kernel has no fixed size'

/** The gradient at a computed kernel is taken a group at a time. */
const refusesOpenGroups: Refusal = (node, build) => {
  if ((intAttribute(node, 'group') ?? 1) === 1 || build.graph.constants.has(input(node, 1))) return null
  const counted = [input(node, 0), output(node)].every((name) => isNumber(build.shape(name)?.[1]))
  return counted ? null : 'its kernel is computed in groups and its channel count is not fixed'
}

/** The window of a convolution or pooling node, `auto_pad` resolved. */
export function windowOf(build: Builder, node: GraphNode, kernel: readonly number[]): Window {
  const rank = kernel.length
  const ones = kernel.map(() => 1)
  const strides = intsAttribute(node, 'strides') ?? ones
  const dilations = intsAttribute(node, 'dilations') ?? ones
  const autoPad = textAttribute(node, 'auto_pad') ?? 'NOTSET'
  const explicit = intsAttribute(node, 'pads') ?? Array.from({ length: 2 * rank }, () => 0)
  if (autoPad === 'NOTSET') return { rank, kernel, strides, dilations, pads: explicit }
  if (autoPad === 'VALID') return { rank, kernel, strides, dilations, pads: explicit.map(() => 0) }
  const extents = build.shape(input(node, 0))?.slice(2)
  const totals = kernel.map((k, axis) => {
    const reach = (k - 1) * (dilations[axis] ?? 1) + 1
    const stride = strides[axis] ?? 1
    if (stride === 1) return reach - 1
    const extent = extents?.[axis]
    if (!isNumber(extent))
      throw new Error(`${describeNode(node)}: auto_pad of an unknown extent, which its rule refuses`)
    return Math.max((Math.ceil(extent / stride) - 1) * stride + reach - extent, 0)
  })
  const small = totals.map((total) => Math.floor(total / 2))
  const large = totals.map((total) => Math.ceil(total / 2))
  return {
    rank,
    kernel,
    strides,
    dilations,
    pads: autoPad === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small],
  }
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

/**
 * The gradient of a strided convolution in operators that keep the blocked layout: the cotangent with zeros between its
 * values, then a convolution with the flipped kernel. That is more arithmetic than a transposed convolution, by the product
 * of the strides, so it pays for depthwise kernels and for those of one tap, whose zeros may come last. Null elsewhere.
 */
function spacedGradient(
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

/** The kernels' values that reach one phase of an axis, the places p with p mod stride = phase, in order. */
interface Phase {
  readonly taps: readonly number[]
  /** What the first of them reads for place p: the cotangent at floor(p / stride) + offset; the next one reads before it. */
  readonly offset: number
}

function phasesOf(extent: number, stride: number, pad: number): readonly Phase[] {
  return Array.from({ length: stride }, (_, phase) => {
    const taps = Array.from({ length: extent }, (_, tap) => tap).filter(
      (tap) => tap % stride === (phase + pad) % stride,
    )
    return { taps, offset: Math.floor((phase + pad) / stride) }
  })
}

/** Pictures and the like: with more channels a transposed convolution is as fast. */
const FEW_CHANNELS = 4

/**
 * The gradient of a strided convolution at a picture: its few channels times all phases of the strides are the channels of
 * one convolution on the small map, and DepthToSpace puts them side by side. Null where that does not apply.
 */
function phasedGradient(
  build: Builder,
  node: GraphNode,
  g: string,
  x: string,
  kernel: Constant,
  { strides, dilations, pads }: Window,
): string | null {
  const [stride = 1, other = 1] = strides
  const [m = 0, c = 0, ...extents] = kernel.dims
  const [from, to] = [build.shape(x) ?? [], build.shape(output(node)) ?? []].map((shape) => shape.slice(2))
  if (extents.length !== 2 || stride === 1 || stride !== other || dilations.some((one) => one !== 1)) return null
  if ((intAttribute(node, 'group') ?? 1) !== 1 || c > FEW_CHANNELS) return null
  const axes = extents.map((extent, axis) => {
    const phases = phasesOf(extent, stride, pads[axis] ?? 0)
    const before = Math.max(...phases.map(({ taps, offset }) => taps.length - 1 - offset))
    const reach = before + Math.max(...phases.map(({ offset }) => offset)) + 1
    const [size, small] = [from?.[axis], to?.[axis]]
    if (typeof size !== 'number' || typeof small !== 'number' || size % stride !== 0) return null
    return { phases, before, reach, behind: size / stride - small + reach - 1 - before }
  })
  const [rows, columns] = axes
  if (!rows || !columns || [rows, columns].some(({ before, behind }) => before < 0 || behind < 0)) return null
  const weights = floatsOf(kernel)
  const [height = 1, width = 1] = extents
  const area = rows.reach * columns.reach
  const joined = new Float32Array(stride * stride * c * m * area)
  for (const [v, vertical] of rows.phases.entries())
    for (const [h, horizontal] of columns.phases.entries())
      for (const [i, tapV] of vertical.taps.entries())
        for (const [j, tapH] of horizontal.taps.entries()) {
          const place = (rows.before + vertical.offset - i) * columns.reach + columns.before + horizontal.offset - j
          for (let channel = 0; channel < c; channel++)
            for (let filter = 0; filter < m; filter++) {
              const target = ((v * stride + h) * c + channel) * m + filter
              const source = (filter * c + channel) * height * width + tapV * width + tapH
              joined[target * area + place] = weights[source] as number
            }
        }
  const phases = build.op(
    'Conv',
    [g, build.constant(floatConstant(joined, [stride * stride * c, m, rows.reach, columns.reach]))],
    { kernel_shape: [rows.reach, columns.reach], pads: [rows.before, columns.before, rows.behind, columns.behind] },
  )
  return build.op('DepthToSpace', [phases], { blocksize: stride, mode: 'DCR' })
}

/** ConvTranspose whose result has exactly the spatial extents of `like`. */
export function transposedConvolution(
  build: Builder,
  g: string,
  w: string,
  group: number,
  window: Window,
  like: string,
): string {
  const { rank, kernel, strides, dilations, pads } = window
  const attributes = { group, kernel_shape: kernel, strides, dilations }
  const extents = build.shape(like)?.slice(2) ?? []
  const missing = kernel.map((k, axis) => leftOver(extents[axis] ?? null, k, window, axis))
  if (missing.every((one) => one !== null))
    return build.op('ConvTranspose', [g, w], { ...attributes, pads, output_padding: missing as number[] })
  // Extents unknown: everything that could be needed, then a cut at run time.
  const whole = build.op('ConvTranspose', [g, w], {
    ...attributes,
    output_padding: strides.map((stride) => stride - 1),
  })
  const axes = kernel.map((_, axis) => axis + 2)
  const starts = build.ints(pads.slice(0, rank))
  const lengths = build.op('Gather', [build.shapeOf(like), build.ints(axes)], { axis: 0 })
  return build.op('Slice', [whole, starts, build.add(starts, lengths), build.ints(axes)])
}

/** Input values behind the last window that a strided convolution never reads; null where the extent is unknown. */
function leftOver(extent: Dim, kernel: number, window: Window, axis: number): number | null {
  const stride = window.strides[axis] ?? 1
  if (stride === 1) return 0
  if (typeof extent !== 'number') return null
  const reach = (kernel - 1) * (window.dilations[axis] ?? 1) + 1
  return (extent + (window.pads[axis] ?? 0) + (window.pads[axis + window.rank] ?? 0) - reach) % stride
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

export function kernelOf(build: Builder, node: GraphNode, w: string): readonly number[] {
  const kernel = intsAttribute(node, 'kernel_shape') ?? build.shapeFor(node, w).slice(2)
  if (!kernel.every((dim): dim is number => typeof dim === 'number'))
    throw new Error(`${describeNode(node)}: a kernel of no fixed size, which its rule refuses`)
  return kernel
}

/**
 * Gradient at a computed kernel: a convolution of the input with the cotangent, batch and channels exchanged and
 * strides and dilations exchanged, one group at a time.
 */
function convWeightGradient(
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
