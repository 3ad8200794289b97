/** A convolution backwards, to a given size. */
import type { Builder } from '../../../graph/builder.ts'
import type { Dim } from '../../../graph/graph.ts'
import type { Window } from './window.ts'

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
    return build.op('ConvTranspose', [g, w], { ...attributes, pads, output_padding: missing })
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
