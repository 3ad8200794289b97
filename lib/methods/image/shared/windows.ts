/** Squares that move over a picture. Letters: H x W extent. */

interface WindowSides {
  /** In pixels, [down, across]. */
  readonly window: readonly [number, number]
  readonly stride: readonly [number, number]
}

export interface Window {
  /** Its pixels as stretches of the flat picture, end excluded: one a line. @param width of the picture */
  readonly spans: (width: number) => readonly (readonly [number, number])[]
}

const AUTO = 1 / 7

/** A window is no larger than the picture, and a stride no larger than its window, so that every pixel is in one. */
export function windowSides(
  [height, width]: readonly [number, number],
  { window, stride }: { readonly window: number | 'auto'; readonly stride: number | 'auto' },
): WindowSides {
  const side = window === 'auto' ? Math.max(1, Math.round(AUTO * Math.min(height, width))) : window
  const step = stride === 'auto' ? Math.max(1, Math.round(side / 2)) : stride
  const [down, across] = [Math.min(side, height), Math.min(side, width)]
  return { window: [down, across], stride: [Math.min(step, down), Math.min(step, across)] }
}

/** Where they begin along one side: the last one may stand over the edge, and is cut off there, as in Captum's Occlusion. */
function starts(extent: number, window: number, stride: number): readonly number[] {
  return Array.from({ length: Math.ceil((extent - window) / stride) + 1 }, (_, index) => index * stride)
}

/** Line by line from the top left. */
export function windowsOver(
  [height, width]: readonly [number, number],
  { window, stride }: WindowSides,
): readonly Window[] {
  return starts(height, window[0], stride[0]).flatMap((top) =>
    starts(width, window[1], stride[1]).map((left) => ({
      spans: (columns: number) =>
        Array.from({ length: Math.min(window[0], height - top) }, (_, line) => {
          const from = (top + line) * columns + left
          return [from, from + Math.min(window[1], width - left)] as const
        }),
    })),
  )
}
