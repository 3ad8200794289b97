/** A picture behind masks. Letters: N rows, C channels of the picture, H x W its extent. */
import {
  abs,
  add,
  divide,
  given,
  greater,
  max,
  maximum,
  min,
  multiply,
  subtract,
  where,
  type Formula,
} from '../../../engine/formula.ts'
import type { ImageContext } from '../../context.ts'
import type { MadeRows } from '../../shared/made-rows.ts'
import type { FloatTensor } from '../../../tensor/tensor.ts'

const PLACES = [2, 3]
/** pytorch-grad-cam's. */
const LEAST_RANGE = 1e-8
/** A map that varies by less than this share of its largest value is constant up to the rounding of its enlargement. */
const ROUNDING = 1e-6

/** Each map [N, 1, H, W] brought to 0..1 by its own extremes; a constant one is a mask of zeros. */
export function byItsExtremes(map: Formula): Formula {
  const [least, most] = [min(map, PLACES), max(map, PLACES)]
  const range = subtract(most, least)
  const varies = greater(range, multiply(maximum(abs(least), abs(most)), ROUNDING))
  // What is divided by 0 is 0.
  return divide(subtract(map, least), where(varies, add(range, LEAST_RANGE), 0))
}

/** Standard deviation of the blur, as a share of the picture's longer side. */
const BLUR = 1 / 20

/** What is seen where a picture is hidden; null for zeros in the model's own numbers. */
export function baselineOf(
  { picture, units }: Pick<ImageContext, 'picture' | 'units'>,
  baseline: 'zero' | 'black' | 'blurred',
): FloatTensor | null {
  if (baseline === 'zero') return null
  if (baseline === 'black') return units.colour([0, 0, 0])
  return units.blurred(picture, BLUR * Math.max(...picture.dims.slice(2)))
}

export interface Masks extends Pick<MadeRows, 'total' | 'perRow'> {
  /** [N, 1, H, W] or [N, C, H, W] of the tensors given: 1 where the picture stays, 0 where the filling takes its place. */
  readonly mask: Formula
  readonly shared?: Readonly<Record<string, FloatTensor>>
  /** [1, C, H, W] or [1, C, 1, 1]; left out: zeros in the model's own numbers, as Score-CAM has it. */
  readonly filling?: FloatTensor
}

/** mask * picture + (1 - mask) * filling, a row for each mask. */
export function behindMasks(
  { input, picture }: Pick<ImageContext, 'input' | 'picture'>,
  { total, perRow, mask, shared = {}, filling }: Masks,
): MadeRows {
  const seen = given('picture')
  const rows = { place: input, total, perRow }
  if (filling === undefined) return { ...rows, at: multiply(seen, mask), shared: { picture, ...shared } }
  const fill = given('filling')
  const at = add(fill, multiply(subtract(seen, fill), mask))
  return { ...rows, at, shared: { picture, filling, ...shared } }
}
