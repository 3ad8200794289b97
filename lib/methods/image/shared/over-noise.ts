/**
 * What a gradient method says of noisy copies of one picture, number by number: mean, variance, mean square. Summed in the graph,
 * so only one tensor of the picture's size a batch comes back.
 *
 * Letters: N rows, C colours, H x W extent.
 */
import { z } from 'zod'
import { given, square, subtract } from '../../../engine/formula.ts'
import { AppError } from '../../../errors.ts'
import { settled } from '../../../target/scalar.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { ImageContext } from '../../context.ts'
import { imageMethod, type ImageMethod } from '../../method.ts'
import { placeFor } from '../../place.ts'
import { sumsOverRows } from '../../shared/made-rows.ts'
import { noisyRows } from '../../shared/noise-rows.ts'
import { readOnce, type Reading } from '../../shared/reading.ts'
import { readingOf } from '../../shared/vary.ts'
import { gradientRows } from './asked.ts'
import { MAP } from './cam.ts'
import { diagnosePixels } from './diagnose-pixels.ts'
import { notRectified } from './rectified.ts'
import { deconvnet } from '../deconvnet.ts'
import { deepLift } from '../deep-lift.ts'
import { elementwiseGradCam } from '../elementwise-grad-cam.ts'
import { gradCamPlusPlus } from '../grad-cam-plus-plus.ts'
import { gradCam } from '../grad-cam.ts'
import { gradient } from '../gradient.ts'
import { guidedBackprop } from '../guided-backprop.ts'
import { hiresCam } from '../hires-cam.ts'
import { inputXGradient } from '../input-x-gradient.ts'
import { layerCam } from '../layer-cam.ts'
import { lrp } from '../lrp.ts'
import { xgradCam } from '../xgrad-cam.ts'

/** The methods that read a gradient once and whose map is a formula of it, with their default parameters. */
const WRAPPED = [
  gradient,
  inputXGradient,
  guidedBackprop,
  deconvnet,
  deepLift,
  lrp,
  gradCam,
  gradCamPlusPlus,
  hiresCam,
  layerCam,
  xgradCam,
  elementwiseGradCam,
]

export const noiseFields = {
  of: z
    .enum(WRAPPED.map(({ id }) => id) as [string, ...string[]])
    .default('gradient')
    .meta({ title: 'Method', description: 'What is read of each noisy copy. A CAM is read at the default layer.' }),
  samples: z.int().min(2).max(1000).default(25).meta({ title: 'Samples', description: 'Noisy copies of the picture.' }),
  noise: z.number().min(0).max(1).default(0.15).meta({
    title: 'Noise',
    description: 'Its standard deviation, as a share of the range from black to white of each colour.',
  }),
}
export type NoiseParams = z.infer<z.ZodObject<typeof noiseFields>>

/** Of each number over the noisy copies, [C, H, W]. */
export interface Moments {
  readonly mean: Float64Array
  /** Population variance. */
  readonly variance: Float64Array
  readonly extent: readonly [number, number]
}

/** With e the number of a noisy copy and s that of the picture itself: sums of e - s and its square keep their digits. */
const SHIFT = 'of the picture itself'

async function momentsOver(
  context: ImageContext,
  reading: Reading,
  { samples, noise }: NoiseParams,
  clean: FloatTensor,
): Promise<Moments> {
  const { input, picture, units, seed } = context
  const ranges = units.highest.map((high, colour) => noise * (high - (units.lowest[colour] ?? high)))
  const deviation = float32(ranges, [1, ranges.length, 1, 1])
  const rows = noisyRows(input, picture, samples, { deviation, seed, purpose: 'noise' })
  const moved = subtract(perColour(reading), given(SHIFT))
  const asking = { ...context, target: reading.target }
  const { first, second } = await sumsOverRows(asking, rows, gradientRows(context), {
    each: { first: moved, second: square(moved) },
    shared: { ...reading.shared, [SHIFT]: float32(clean.data, [1, ...clean.dims]) },
    ...(reading.rules === undefined ? {} : { rules: reading.rules }),
  })
  const [height = 0, width = 0] = clean.dims.slice(-2)
  return {
    mean: first.map((one, at) => one / samples + (clean.data[at] ?? Number.NaN)),
    variance: first.map((one, at) => Math.max(0, (second[at] ?? Number.NaN) / samples - (one / samples) ** 2)),
    extent: [height, width],
  }
}

/** Whether a method bends rectifiers, and has to say where a network has none. */
const bends = ({ needs }: ImageMethod): boolean =>
  needs.some(({ rules }) => rules === 'guided-relu' || rules === 'deconvnet')

function perColour(reading: Reading) {
  const formula = reading.perColour ?? reading.outputs[MAP]
  if (formula === undefined) throw new AppError({ code: 'INTERNAL', message: 'a reading without a map' })
  return formula
}

type Described = Pick<ImageMethod, 'id' | 'version' | 'title' | 'summary' | 'meaning' | 'misleads' | 'paper'>

/** A method made of the moments; the map is as large as that of the method it wraps. */
export function overNoise<P extends NoiseParams>(
  described: Described & { readonly params: z.ZodType<P>; readonly signed: boolean },
  map: (moments: Moments, params: P) => FloatTensor,
): ImageMethod {
  const { signed, ...description } = described
  return imageMethod<P>({
    ...description,
    modality: 'image',
    family: 'gradient',
    needs: [{ place: 'input', gradient: true }],
    output: { kind: 'map', signed, complete: false },
    cost: ({ samples, of }) => (of === deepLift.id ? 7 : 5) * (samples + 1),
    async run(context, params) {
      const method = WRAPPED.find(({ id }) => id === params.of)
      if (method === undefined) throw new AppError({ code: 'INTERNAL', message: `no method ${params.of}` })
      const tap = placeFor(method, null, context.facts)
      const read = (target: ImageContext['target']): Reading =>
        readingOf(method, { ...context, tap, target }, method.params.parse({}))
      const reading = read(context.target)
      const clean = await readOnce(context, { ...reading, outputs: { [MAP]: perColour(reading) } })
      const target = settled(context.target, clean.logits.data)
      const moments = await momentsOver(context, read(target), params, clean.outputs[MAP] as FloatTensor)
      const result = map(moments, params)
      const atLayer = tap !== null && tap.kind !== 'input'
      return {
        kind: 'image',
        map: result,
        layer: atLayer ? tap.id : null,
        logits: clean.logits,
        diagnoses: [
          ...(bends(method) ? notRectified(context.model) : []),
          ...diagnosePixels(context, result, clean.logits, target, null),
        ],
      }
    },
  })
}
