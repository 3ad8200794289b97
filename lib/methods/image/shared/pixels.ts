/**
 * Gradient methods of single pixels: numbers [N, C, H, W] of the picture and its gradient, and how the C colours of a pixel become
 * one number.
 *
 * Letters: N rows, C colours, H x W extent of the picture, K classes.
 */
import { z } from 'zod'
import { abs, gradient, max, sum, value, type Formula } from '../../../engine/formula.ts'
import type { RuleSet } from '../../../engine/model.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { imageMethod, type ImageMethod, type ImageResult } from '../../method.ts'
import { readOnce, tapIn, type Reading } from '../../shared/reading.ts'
import { LARGEST_GRADIENT, MAP, plane } from './cam.ts'
import { diagnosePixels } from './diagnose-pixels.ts'

export const COLOURS = [1]
const EVERY_AXIS = [1, 2, 3]

const VIEWS = ['signed', 'absolute', 'channel-max'] as const
export type View = (typeof VIEWS)[number]
export const viewField = z.enum(VIEWS).default('signed').meta({
  title: 'View',
  description:
    'How the colours of a pixel become one number. signed: their sum. absolute: the sum of their sizes. channel-max: the largest size, as Simonyan et al. draw it.',
})

const BROUGHT_TOGETHER: Readonly<Record<View, (perColour: Formula) => Formula>> = {
  signed: (perColour) => sum(perColour, COLOURS),
  absolute: (perColour) => sum(abs(perColour), COLOURS),
  'channel-max': (perColour) => max(abs(perColour), COLOURS),
}

/** The same of numbers at hand. @param perColour [C, H, W]; @returns [H, W] */
export function viewed(perColour: ArrayLike<number>, [height, width]: readonly [number, number], view: View) {
  const area = height * width
  const map = new Float64Array(area)
  for (let at = 0; at < perColour.length; at += 1) {
    const one = perColour[at] as number
    const before = map[at % area] as number
    map[at % area] =
      view === 'signed' ? before + one : view === 'absolute' ? before + Math.abs(one) : Math.max(before, Math.abs(one))
  }
  return float32(Float32Array.from(map), [height, width])
}

export interface PixelReading {
  /** Of the gradient and the picture, [N, C, H, W] each. */
  readonly perColour: (gradient: Formula, picture: Formula) => Formula
  readonly view?: View
  readonly shared?: Readonly<Record<string, FloatTensor>>
  readonly rules?: RuleSet
}

/** What a pixel method reads of the picture, as a reading that wrappers can vary. */
export function pixelReading(
  context: ImageContext,
  { perColour, view = 'signed', ...bent }: PixelReading,
): Reading & { readonly perColour: Formula } {
  const { id } = tapIn(context)
  const numbers = perColour(gradient(id), value(id))
  return {
    target: context.target,
    outputs: { [MAP]: BROUGHT_TOGETHER[view](numbers), [LARGEST_GRADIENT]: max(abs(gradient(id)), EVERY_AXIS) },
    perColour: numbers,
    ...bent,
    attribution: (outputs) => plane(outputs[MAP]),
  }
}

/** Reads the picture once; what the method has to say of itself comes first among the diagnoses. */
async function readPixels(
  context: ImageContext,
  reading: Reading,
  own: ImageResult['diagnoses'] = [],
): Promise<ImageResult> {
  const { outputs, logits, target } = await readOnce(context, reading)
  const map = reading.attribution(outputs)
  const largest = outputs[LARGEST_GRADIENT]?.data[0] ?? Number.NaN
  context.progress(1)
  const diagnoses = [...own, ...diagnosePixels(context, map, logits, target, largest)]
  return { kind: 'image', map, layer: null, logits, diagnoses }
}

type Described<P> = Pick<
  ImageMethod<P>,
  'id' | 'version' | 'title' | 'summary' | 'meaning' | 'misleads' | 'paper' | 'params'
>

export interface PixelMethod<P> extends Described<P> {
  readonly family?: ImageMethod['family']
  /** The rule set that it needs; left out for the plain one. */
  readonly needsRules?: string
  readonly read: (context: ImageContext, params: P) => PixelReading
  readonly says?: (context: ImageContext, params: P) => ImageResult['diagnoses']
}

/** A method that reads the gradient at the picture once. */
export function pixelMethod<P>({
  family = 'gradient',
  needsRules,
  read,
  says,
  ...described
}: PixelMethod<P>): ImageMethod {
  const reading = (context: ImageContext, params: P): Reading => pixelReading(context, read(context, params))
  return imageMethod<P>({
    ...described,
    modality: 'image',
    family,
    needs: [{ place: 'input', gradient: true, ...(needsRules === undefined ? {} : { rules: needsRules }) }],
    output: { kind: 'map', signed: true, complete: false },
    // One forward pass and the whole way back.
    cost: () => 5,
    reading,
    run: (context, params) => readPixels(context, reading(context, params), says?.(context, params)),
  })
}
