/** Gradient rules of pooling. Letters as in convolution.ts. */
import { floatConstant } from '../../graph/constant.ts'
import type { Builder } from '../../graph/builder.ts'
import { intAttribute, intsAttribute, type Dim, type GraphNode } from '../../graph/graph.ts'
import { blockedMap, line, repeated } from './blocked.ts'
import { refusesAutoPad, transposedConvolution, windowOf, type Window } from './convolution.ts'
import { firstOf, input, output, ranksOf, refusing, unary, type RuleEntry } from './rule.ts'

function spatialAxes(build: Builder, node: GraphNode): number[] {
  return build
    .shapeFor(node, input(node, 0))
    .map((_, axis) => axis)
    .slice(2)
}

const ranked = (gradient: Parameters<typeof unary>[0]) => refusing(unary(gradient), ranksOf(0))

export const globalAveragePool = ranked((build, x, y, g, node) => {
  const axes = spatialAxes(build, node)
  const map = blockedMap(build, x)
  if (map !== null && map.height * map.width > 1) {
    const share = line(build, g, map.channels, 1 / (map.height * map.width), 0)
    return repeated(build, share, { ...map, height: 1, width: 1 }, [map.height, map.width])
  }
  return build.expandLike(build.div(g, build.countPer(x, y, axes)), x, axes)
})

/** Ties share the gradient equally, as PyTorch's amax. */
export const globalMaxPool = ranked((build, x, y, g, node) => {
  const attained = build.cast(build.op('Equal', [x, y]), 1)
  return build.mul(attained, build.div(g, build.sum(attained, spatialAxes(build, node), true)))
})

/**
 * Each window's cotangent goes to its first maximum, as PyTorch: the indices of the pooling itself, then a scatter. Indices
 * that count columns first (storage_order) are asked for again, rows first.
 */
export const maxPool: RuleEntry = {
  rule: (node, [g], build) => {
    if (!g) return []
    const x = input(node, 0)
    let indices = output(node, 1)
    if (indices === '' || intAttribute(node, 'storage_order') === 1) {
      const [value = '', places = ''] = ['', 'places'].map((one) => `${output(node)}/limelight-argmax${one}`)
      const attributes = Object.entries(node.attributes).filter(([name]) => name !== 'storage_order')
      build.copy(node, { outputs: [value, places], attributes: Object.fromEntries(attributes) })
      indices = places
    }
    const flat = build.ints([-1])
    const zeros = build.op('Expand', [build.float(0), build.op('Unsqueeze', [build.op('Size', [x]), build.ints([0])])])
    const scattered = build.op('ScatterElements', [zeros, build.reshape(indices, flat), build.reshape(g, flat)], {
      axis: 0,
      reduction: 'add',
    })
    return [build.reshapeLike(scattered, x)]
  },
}

const isNumber = (dim: Dim | undefined): dim is number => typeof dim === 'number'

/** How many values each window of one axis averages over: [O] */
function windowCounts(extent: number, outputs: number, window: Window, axis: number, includePads: boolean): number[] {
  const [kernel = 1, stride = 1, dilation = 1] = [window.kernel[axis], window.strides[axis], window.dilations[axis]]
  const [before = 0, behind = 0] = [window.pads[axis], window.pads[axis + window.rank]]
  const [low, high] = includePads ? [-before, extent + behind] : [0, extent]
  return Array.from({ length: outputs }, (_, place) => {
    const taps = Array.from({ length: kernel }, (_, tap) => place * stride - before + tap * dilation)
    return taps.filter((at) => at >= low && at < high).length
  })
}

/** Divides each cotangent by its window's count, then spreads it over the window: a transposed convolution with ones. */
export const averagePool: RuleEntry = {
  refuses: firstOf(ranksOf(0), refusesAutoPad),
  rule: (node, [g], build) => {
    if (!g) return []
    const kernel = intsAttribute(node, 'kernel_shape') ?? []
    const window = windowOf(build, node, kernel)
    const includePads = intAttribute(node, 'count_include_pad') === 1
    const simple =
      (intAttribute(node, 'ceil_mode') ?? 0) === 0 && (includePads || window.pads.every((pad) => pad === 0))
    const size = kernel.reduce((product, dim) => product * dim, 1)
    const share = simple ? build.scale(g, 1 / size) : build.div(g, countMap(build, node, window, includePads))
    return [spread(build, node, share, window)]
  },
}

function countMap(build: Builder, node: GraphNode, window: Window, includePads: boolean): string {
  const extents = build.shapeFor(node, input(node, 0)).slice(2)
  const outputs = build.shape(output(node))?.slice(2) ?? []
  if (![...extents, ...outputs].every(isNumber) || outputs.length === 0)
    return countMapAtRunTime(build, node, window, includePads)
  const axes = extents.map((extent, axis) =>
    windowCounts(extent as number, outputs[axis] as number, window, axis, includePads),
  )
  const counts = axes.reduce<number[]>(
    (product, axis) => product.flatMap((one) => axis.map((count) => one * count)),
    [1],
  )
  return build.constant(floatConstant(counts, [1, 1, ...(outputs as number[])]))
}

/** The same for an input of unknown size: a convolution of ones, as wide as `ceil_mode` may reach, cut to the output. */
function countMapAtRunTime(build: Builder, node: GraphNode, window: Window, includePads: boolean): string {
  const { rank, kernel, strides, dilations, pads } = window
  const axes = kernel.map((_, axis) => axis + 2)
  const extentsOf = (name: string): string =>
    build.op('Slice', [build.shapeOf(name), build.ints([2]), build.ints([2 + rank])])
  const one = build.ints([1, 1])
  const shape = build.op('Concat', [one, extentsOf(input(node, 0))], { axis: 0 })
  const inner = build.op('Expand', [build.float(1), shape]) // [1, 1, S]
  const padded = [0, 0, ...pads.slice(0, rank), 0, 0, ...pads.slice(rank)]
  const ones = includePads ? build.op('Pad', [inner, build.ints(padded), build.float(1)]) : inner
  const [before, behind] = includePads
    ? [kernel.map(() => 0), kernel.map(() => 0)]
    : [pads.slice(0, rank), pads.slice(rank)]
  const counts = build.op('Conv', [ones, build.filled(1, [1, 1, ...kernel])], {
    kernel_shape: kernel, strides, dilations,
    pads: [...before, ...behind.map((pad, axis) => pad + (strides[axis] ?? 1) - 1)],
  }) // prettier-ignore
  return build.op('Slice', [counts, build.ints(kernel.map(() => 0)), extentsOf(output(node)), build.ints(axes)])
}

/** g [N, C, O] -> [N, C, S]: every window's value added to all its places. */
function spread(build: Builder, node: GraphNode, g: string, window: Window): string {
  const x = input(node, 0)
  const known = build.shapeFor(node, x)[1]
  // Channels take no part: where their number is unknown they join the batch.
  const channels = typeof known === 'number' ? known : 1
  const ones = new Float32Array(channels * window.kernel.reduce((product, dim) => product * dim, 1)).fill(1)
  const kernel = build.constant(floatConstant(ones, [channels, 1, ...window.kernel]))
  const full = ceilWindow(build, node, window)
  if (typeof known === 'number') return transposedConvolution(build, g, kernel, channels, full, x)
  const extents = build.op('Slice', [build.op('Shape', [g]), build.ints([2]), build.ints([2 + window.rank])])
  const joined = build.reshape(g, build.op('Concat', [build.ints([-1, 1]), extents], { axis: 0 }))
  return build.reshapeLike(transposedConvolution(build, joined, kernel, 1, full, x), x)
}

/** With `ceil_mode` the last window may reach beyond the padding: pad as far as it does. */
function ceilWindow(build: Builder, node: GraphNode, window: Window): Window {
  if ((intAttribute(node, 'ceil_mode') ?? 0) === 0) return window
  const extents = build.shapeFor(node, input(node, 0)).slice(2)
  const outputs = build.shape(output(node))?.slice(2) ?? []
  const pads = window.pads.map((pad, index) => {
    const axis = index - window.rank
    // Where the extent is unknown, the result is cut to it at run time: what reaches beyond falls away.
    if (axis < 0 || !isNumber(extents[axis]) || !isNumber(outputs[axis])) return pad
    const reach = ((window.kernel[axis] ?? 1) - 1) * (window.dilations[axis] ?? 1) + 1
    const end = (outputs[axis] - 1) * (window.strides[axis] ?? 1) + reach
    return Math.max(pad, end - extents[axis] - (window.pads[axis] ?? 0))
  })
  return { ...window, pads }
}

/** (sum |x|^p)^(1/p) over windows: sign(x) |x|^(p-1) times the spread of g y^(1-p); 0 where y is 0. */
export const lpPool: RuleEntry = {
  refuses: firstOf(ranksOf(0), refusesAutoPad),
  rule: (node, [g], build) => {
    if (!g) return []
    const [x, y] = [input(node, 0), output(node)]
    const p = intAttribute(node, 'p') ?? 2
    const window = windowOf(build, node, intsAttribute(node, 'kernel_shape') ?? [])
    const zero = build.op('Equal', [y, build.float(0)])
    const divisor = build.op('Pow', [build.where(zero, build.float(1), y), build.float(p - 1)])
    return [
      build.mul(
        spread(build, node, build.keep(build.div(g, divisor), zero, true), window),
        signedPower(build, x, p - 1),
      ),
    ]
  },
}
/** The same over all positions. */
export const globalLpPool = unary((build, x, y, g, node) => {
  const p = intAttribute(node, 'p') ?? 2
  const zero = build.op('Equal', [y, build.float(0)])
  const divisor = build.op('Pow', [build.where(zero, build.float(1), y), build.float(p - 1)])
  return build.mul(build.keep(build.div(g, divisor), zero, true), signedPower(build, x, p - 1))
})

/** sign(x) |x|^q */
function signedPower(build: Builder, x: string, q: number): string {
  if (q === 1) return x
  return build.mul(build.op('Sign', [x]), build.op('Pow', [build.op('Abs', [x]), build.float(q)]))
}
