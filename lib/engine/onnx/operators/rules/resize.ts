/**
 * Gradient rules of resampling. Every mode that ONNX has, but `tf_crop_and_resize`, is linear and works axis by axis, so
 * the operator itself, run on the identity, gives each axis' matrix A [out, in], whatever its coordinate conventions:
 * dx = g A along that axis. A whole-number nearest upsampling is an average pooling instead.
 */
import { floatConstant } from '../../graph/constant.ts'
import { placeOf, type Builder } from '../../graph/builder.ts'
import { intsAttribute, textAttribute, type GraphNode } from '../../graph/graph.ts'
import { firstOf, input, output, ranksOf, type Refusal, type RuleEntry } from './rule.ts'

const refusesCropping: Refusal = (node) =>
  textAttribute(node, 'coordinate_transformation_mode') === 'tf_crop_and_resize'
    ? 'the mode tf_crop_and_resize has no gradient rule: export the model with half_pixel or asymmetric coordinates'
    : null

export const resize: RuleEntry = {
  refuses: firstOf(ranksOf(0), refusesCropping),
  constants: [1, 2],
  rule: (node, [g], build) => {
    if (!g) return []
    const x = input(node, 0)
    const rank = build.shapeFor(node, x).length
    const axes = (intsAttribute(node, 'axes') ?? Array.from({ length: rank }, (_, axis) => axis)).map((axis) =>
      placeOf(axis, rank),
    )
    const factors = blockFactors(build, node, axes, rank)
    if (factors) return [sumBlocks(build, g, factors)]
    let gradient = g
    for (const [index, axis] of axes.entries()) {
      const [from, to] = [build.shape(x)?.[axis], build.shape(output(node))?.[axis]]
      if (axis < 2 && (from === to || unscaled(build, node, index))) continue
      if (typeof from === 'number' && from === to) continue
      gradient = alongAxis(build, gradient, axisMatrix(build, node, index, axis), axis, rank)
    }
    return [gradient]
  },
}

function unscaled(build: Builder, node: GraphNode, index: number): boolean {
  return build.floatsIn(input(node, 2))?.[index] === 1
}

/** Whole-number factors of a nearest upsampling of pictures whose blocks are aligned; null for any other. */
function blockFactors(
  build: Builder,
  node: GraphNode,
  axes: readonly number[],
  rank: number,
): readonly [number, number] | null {
  if (rank !== 4 || (textAttribute(node, 'mode') ?? 'nearest') !== 'nearest') return null
  const coordinates = textAttribute(node, 'coordinate_transformation_mode') ?? 'half_pixel'
  const rounding = textAttribute(node, 'nearest_mode') ?? 'round_prefer_floor'
  const aligned =
    (coordinates === 'asymmetric' && rounding === 'floor') ||
    (['half_pixel', 'pytorch_half_pixel', 'half_pixel_symmetric'].includes(coordinates) &&
      rounding.startsWith('round_prefer'))
  if (!aligned) return null
  const scales = build.floatsIn(input(node, 2))
  const [from, to] = [build.shape(input(node, 0)), build.shape(output(node))]
  const factors = [0, 1, 2, 3].map((axis) => {
    const index = axes.indexOf(axis)
    if (index < 0) return 1
    const given = scales?.[index]
    if (given !== undefined) return given
    const [a, b] = [from?.[axis], to?.[axis]]
    return typeof a === 'number' && typeof b === 'number' ? b / a : a !== undefined && a === b ? 1 : NaN
  })
  const [n, c, h = NaN, w = NaN] = factors
  return n === 1 && c === 1 && Number.isInteger(h) && Number.isInteger(w) && h >= 1 && w >= 1 ? [h, w] : null
}

function sumBlocks(build: Builder, g: string, [h, w]: readonly [number, number]): string {
  if (h * w === 1) return g
  const pooled = build.op('AveragePool', [g], { kernel_shape: [h, w], strides: [h, w] })
  return build.scale(pooled, h * w)
}

/** The transposed matrix of one axis: [in, out], from the operator itself. */
function axisMatrix(build: Builder, node: GraphNode, index: number, axis: number): string {
  const extent = build.extentOf(input(node, 0), axis)
  const known = build.shape(input(node, 0))?.[axis]
  const identity =
    typeof known === 'number'
      ? build.constant(
          floatConstant(
            Float32Array.from({ length: known * known }, (_, at) => (at % (known + 1) === 0 ? 1 : 0)),
            [known, 1, 1, known],
          ),
        )
      : build.reshape(
          build.op('EyeLike', [
            build.op('Expand', [build.float(0), build.op('Concat', [extent, extent], { axis: 0 })]),
          ]),
          build.op('Concat', [extent, build.ints([1, 1]), extent], { axis: 0 }),
        )
  const pick = (list: string): string => build.op('Gather', [list, build.ints([index])], { axis: 0 })
  const scales = input(node, 2)
  const hasScales = scales !== '' && build.value(scales)?.dims[0] !== 0
  const inputs = hasScales
    ? [identity, '', build.op('Concat', [build.constant(floatConstant([1, 1, 1], [3])), pick(scales)], { axis: 0 })]
    : [identity, '', '', build.op('Concat', [extent, build.ints([1, 1]), pick(input(node, 3))], { axis: 0 })]
  const kept = Object.fromEntries(Object.entries(node.attributes).filter(([name]) => name !== 'axes'))
  const resized = build.op('Resize', inputs, kept)
  return build.reshape(resized, build.op('Concat', [extent, build.ints([-1])], { axis: 0 }))
}

function alongAxis(build: Builder, g: string, matrix: string, axis: number, rank: number): string {
  if (axis === rank - 2) return build.matMul(matrix, g)
  const last = Array.from({ length: rank }, (_, one) => one).filter((one) => one !== axis)
  const order = [...last, axis]
  const turned = build.matMul(build.transpose(g, order), build.transpose(matrix, [1, 0]))
  return build.transpose(
    turned,
    order.map((_, one) => order.indexOf(one)),
  )
}
