/**
 * What a person marked, in the terms of a model's input. A box counts a pixel whose middle lies in it; a span counts a token
 * that shares a character with it.
 */
import { AppError } from '../errors.ts'
import type { Placement } from '../image/preprocess.ts'
import type { TokenSpan } from '../text/spans.ts'
import { z } from 'zod'
import type { MarkedPixels, MarkedTokens } from './metric.ts'

const fraction = z.number()

export const marks = z.discriminatedUnion('kind', [
  /** Fractions of the upright picture. */
  z.strictObject({
    kind: z.literal('boxes'),
    boxes: z
      .array(z.strictObject({ x: fraction, y: fraction, width: fraction.positive(), height: fraction.positive() }))
      .min(1),
  }),
  /** Code points of the text, end excluded. */
  z.strictObject({
    kind: z.literal('spans'),
    spans: z.array(z.strictObject({ start: z.int().min(0), end: z.int().min(1) })).min(1),
  }),
])

/**
 * A mask of the upright picture, at a resolution of its own: [height, width], 1 inside, 0 outside, 2 where nobody says (the
 * boundary of a trimap), which counts as neither.
 */
interface Mask {
  readonly kind: 'mask'
  readonly height: number
  readonly width: number
  readonly inside: Uint8Array
}
export type Marks = z.infer<typeof marks> | Mask

function nothingMarked(what: string): AppError {
  return new AppError({
    code: 'BAD_INPUT',
    message: `Nothing is marked of what the model saw: ${what}. Mark a part that it was shown.`,
  })
}

function wrongKind(marked: Marks, needed: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message: `The annotation has ${marked.kind}; this metric needs ${needed}.` })
}

/** 1 where a place of the upright picture, in fractions of it, is marked, 0 where not, 2 where nobody says. */
function markAt(marked: Exclude<Marks, { kind: 'spans' }>, x: number, y: number): number {
  if (marked.kind === 'boxes')
    return marked.boxes.some((box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height)
      ? 1
      : 0
  const row = Math.min(marked.height - 1, Math.floor(y * marked.height))
  const column = Math.min(marked.width - 1, Math.floor(x * marked.width))
  return marked.inside[row * marked.width + column] ?? 0
}

/**
 * @param placement which part of the upright picture the feed shows
 * @throws AppError BAD_INPUT for marks of a text, or that the feed does not show
 */
export function markedPixels(marked: Marks, placement: Placement, height: number, width: number): MarkedPixels {
  if (marked.kind === 'spans') throw wrongKind(marked, 'a box or a mask on the picture')
  const inside = new Uint8Array(height * width)
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const [across, down] = [(x + 0.5) / width, (y + 0.5) / height]
      inside[y * width + x] = markAt(
        marked,
        placement.x + across * placement.width,
        placement.y + down * placement.height,
      )
    }
  if (!inside.includes(1)) throw nothingMarked('the marked part of the picture is cut off or smaller than a pixel')
  return { kind: 'pixels', height, width, inside }
}

/** @throws AppError BAD_INPUT for marks of a picture, or that hold no token */
export function markedTokens(marked: Marks, tokens: readonly TokenSpan[], special: readonly boolean[]): MarkedTokens {
  if (marked.kind !== 'spans') throw wrongKind(marked, 'spans of the text')
  const spans = marked.spans
    .map(({ start, end }) =>
      tokens.flatMap((token, at) => (special[at] !== true && token.start < end && token.end > start ? [at] : [])),
    )
    .filter((span) => span.length > 0)
  if (spans.length === 0) throw nothingMarked('the marked part of the text has no token, or was cut off')
  const inside = new Set(spans.flat())
  return { kind: 'tokens', inside: tokens.map((_, at) => inside.has(at)), spans }
}
