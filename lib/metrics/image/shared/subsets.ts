/**
 * Random sets of pixels taken out of a picture (zeros in the model's own numbers): what the attribution has in them, and what
 * the explained number loses.
 */
import { randomStream } from '../../../methods/shared/random.ts'
import type { JudgedImage } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { pixelScores, scalarsOfMasked } from './pixels.ts'

export interface SubsetEffect {
  /** Sum of the attribution over the set. */
  readonly attributed: number
  /** F(x) - F(x without the set). */
  readonly lost: number
}

/** One set a row: pixels of the feed, row by row. */
export async function effectsOfSets(
  context: JudgedImage,
  sets: readonly ArrayLike<number>[],
): Promise<readonly SubsetEffect[]> {
  const scores = pixelScores(context)
  const { target, whole } = await followed(context, false)
  const kept = (row: number): Float32Array => {
    const mask = new Float32Array(scores.length).fill(1)
    const set = sets[row] ?? []
    for (let at = 0; at < set.length; at += 1) mask[set[at] ?? -1] = 0
    return mask
  }
  const scalars = await scalarsOfMasked(context, target, sets.length, kept)
  return sets.map((set, row) => {
    let attributed = 0
    for (let at = 0; at < set.length; at += 1) attributed += scores[set[at] ?? -1] ?? Number.NaN
    return { attributed, lost: whole - (scalars[row] ?? Number.NaN) }
  })
}

/** So many sets of so many different pixels. @param purpose names the draws */
export function randomSets(
  { seed, picture }: Pick<JudgedImage, 'seed' | 'picture'>,
  count: number,
  size: number,
  purpose: string,
): readonly Uint32Array[] {
  const [, , height = 0, width = 0] = picture.dims
  return Array.from({ length: count }, (_, row) =>
    Uint32Array.from(randomStream(seed, purpose, row).permutation(height * width, size)),
  )
}

/** So many squares, anywhere inside the picture. @param side in pixels of the feed */
export function randomSquares(
  { seed, picture }: Pick<JudgedImage, 'seed' | 'picture'>,
  count: number,
  side: number,
): readonly Uint32Array[] {
  const [, , height = 0, width = 0] = picture.dims
  const [high, wide] = [Math.min(side, height), Math.min(side, width)]
  return Array.from({ length: count }, (_, row) => {
    const { integer } = randomStream(seed, 'square', row)
    const [top, left] = [integer(height - high + 1), integer(width - wide + 1)]
    return Uint32Array.from(
      { length: high * wide },
      (_pixel, at) => (top + Math.floor(at / wide)) * width + left + (at % wide),
    )
  })
}
