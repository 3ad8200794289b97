/** A picture as a game: its superpixels are players. Letters: M superpixels, N rows, H x W extent. */
import { z } from 'zod'
import { given } from '../../../engine/formula.ts'
import { slic, type Segmentation } from '../../../image/segmentation/slic.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { distinctOf, EVERYBODY, type Coalition, type Game } from '../../shared/coalitions.ts'
import { everyScalar } from '../../shared/made-rows.ts'
import { forwardRows, type Asked } from './asked.ts'
import { fillField, filling, type Fill } from './filling.ts'
import { behindMasks } from './masked-picture.ts'

export const superpixelFields = {
  segments: z.int().min(2).max(1000).default(50).meta({
    title: 'Superpixels',
    description: 'About how many pieces, along the edges in the picture, are shown or hidden together.',
  }),
  compactness: z.number().gt(0).max(1000).default(10).meta({
    title: 'Compactness',
    description: 'How much place counts against colour: 10 follows edges, 100 makes near squares.',
  }),
  fill: fillField,
}
export interface Superpixels {
  readonly segments: number
  readonly compactness: number
  readonly fill: Fill
}

/** Of what the model is fed, at that extent. */
export function superpixelsOf({ picture, units }: ImageContext, { segments, compactness }: Superpixels): Segmentation {
  const [, , height = 0, width = 0] = picture.dims
  return slic(units.levels(picture), height, width, { segments, compactness })
}

/**
 * How many there can be where so many are asked for: the grid rounds its cells, and a segment that lies apart is cut; no
 * piece is smaller than half the mean.
 */
export function mostSuperpixels(segments: number, pixels: number): number {
  return Math.min(pixels, 9 * segments)
}

/** What the model says of the picture with some superpixels filled; equal coalitions are asked once, the picture itself not again. */
export function superpixelGame(
  { asking, scalar }: Asked,
  { labels, count, height, width }: Segmentation,
  { fill }: Superpixels,
): Game {
  return {
    players: count,
    async worths(coalitions, progress) {
      const { distinct, rowOf } = distinctOf(coalitions)
      const masked = behindMasks(asking, {
        total: distinct.length,
        mask: given('shown'),
        filling: filling(asking, fill),
        perRow: ({ first, count: rows }) => {
          const shown = new Float32Array(rows * labels.length) // [N, 1, H, W]
          for (let row = 0; row < rows; row += 1) {
            const coalition = distinct[first + row] as Coalition
            for (let at = 0; at < labels.length; at += 1)
              shown[row * labels.length + at] = coalition[labels[at] as number] as number
          }
          return { shown: float32(shown, [rows, 1, height, width]) }
        },
      })
      const worths = await everyScalar({ ...asking, progress }, masked, forwardRows(asking))
      return Float64Array.from(rowOf, (row) => (row === EVERYBODY ? scalar : (worths[row] as number)))
    },
  }
}

/** Pixels of each superpixel, [M]. */
export function areasOf({ labels, count }: Segmentation): Float64Array {
  const areas = new Float64Array(count)
  for (const label of labels) areas[label] = (areas[label] as number) + 1
  return areas
}

/** Each pixel with its superpixel's value, [H, W]. @param values [M] */
export function painted({ labels, height, width }: Segmentation, values: ArrayLike<number>): FloatTensor {
  return float32(
    Float32Array.from(labels, (label) => values[label] as number),
    [height, width],
  )
}
