/** Segments that hang together: each becomes one region, parts that lie apart others, and scraps go to a neighbour. */
import type { Segmentation } from './slic.ts'

/** In the order in which scikit-image looks around, on which depends what a scrap is joined to. */
const AROUND = [
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
] as const

/**
 * @param labels any numbers, [H, W]
 * @param sizes in pixels: a region smaller than `least` is joined to a neighbour; one is cut off at `most`
 */
export function connected(
  labels: Int32Array,
  height: number,
  width: number,
  { least, most }: { readonly least: number; readonly most: number },
): Segmentation {
  const regions = new Int32Array(labels.length).fill(-1)
  const found = new Int32Array(Math.max(1, most))
  let count = 0
  for (let start = 0; start < labels.length; start += 1) {
    if ((regions[start] as number) >= 0) continue
    let neighbour = 0
    let size = 1
    regions[start] = count
    found[0] = start
    for (let visited = 0; visited < size && size < most; visited += 1) {
      const from = found[visited] as number
      const [y, x] = [Math.floor(from / width), from % width]
      for (const [dy, dx] of AROUND) {
        if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width) continue
        const at = from + dy * width + dx
        const region = regions[at] as number
        if (labels[at] === labels[start] && region < 0) {
          regions[at] = count
          found[size] = at
          size += 1
          if (size >= most) break
        } else if (region >= 0 && region !== count) neighbour = region
      }
    }
    if (size < least) for (let at = 0; at < size; at += 1) regions[found[at] as number] = neighbour
    else count += 1
  }
  return { height, width, labels: regions, count: Math.max(1, count) }
}
