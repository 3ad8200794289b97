/**
 * The picture seen through its map (Chattopadhyay et al. 2018, 1710.11063): each pixel times the map there, which is
 * rectified and brought to 0..1 by its own extremes; zeros in the model's own numbers where the map is 0. A map that is the
 * same everywhere shows nothing.
 */
import { z } from 'zod'
import type { JudgedImage } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { pixelScores, scalarsOfMasked } from './pixels.ts'

export interface SeenThroughMap {
  /** The probability of the class for the picture as it is. */
  readonly whole: number
  /** And for what the map shows of it. */
  readonly shown: number
}

/** [H * W], 0..1 */
function maskOf(scores: Float32Array): Float32Array {
  const rectified = scores.map((score) => Math.max(0, score))
  const least = rectified.reduce((low, value) => Math.min(low, value), Infinity)
  const most = rectified.reduce((high, value) => Math.max(high, value), 0)
  return rectified.map((value) => (most > least ? (value - least) / (most - least) : 0))
}

export async function seenThroughMap(context: JudgedImage): Promise<SeenThroughMap> {
  const { target, whole } = await followed(context)
  const mask = maskOf(pixelScores(context))
  const [shown = Number.NaN] = await scalarsOfMasked(context, target, 1, () => mask)
  return { whole, shown }
}

/** What these metrics say of themselves alike. */
export const SEEN_THROUGH_MAP = {
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  cost: () => 2,
} as const
