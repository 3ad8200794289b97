/**
 * How an image model is fed, from preprocessor_config.json (transformers' image processors) or timm's pretrained_cfg.
 * Those normalise (value * rescale_factor - mean) / std; a card has mean and std on the scale 0..255.
 */
import { z } from 'zod'
import type { ImagePreprocessing } from '../card.ts'
import type { HubConfig } from './hub-config.ts'
import { notForLimelight, type CardSources, type Guess } from './sources.ts'

const extent = z.union([
  z.int().positive(),
  z.looseObject({
    height: z.int().positive().optional(),
    width: z.int().positive().optional(),
    shortest_edge: z.int().positive().optional(),
  }),
])
const numbers = z.union([z.number(), z.array(z.number()).min(1)])
const processor = z.looseObject({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: extent.nullish(),
  resample: z.int().nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: extent.nullish(),
  crop_pct: z.number().positive().nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: numbers.nullish(),
  image_std: numbers.nullish(),
  do_flip_channel_order: z.boolean().nullish(),
})
type Processor = z.infer<typeof processor>
const timmConfig = z.looseObject({
  input_size: z.tuple([z.int(), z.int(), z.int()]).nullish(),
  crop_pct: z.number().positive().nullish(),
  crop_mode: z.string().nullish(),
  interpolation: z.string().nullish(),
  mean: z.array(z.number()).nullish(),
  std: z.array(z.number()).nullish(),
})

type Window = Pick<ImagePreprocessing, 'width' | 'height' | 'resize' | 'cropFraction'>
type Scale = Pick<ImagePreprocessing, 'mean' | 'std'>

const IMAGENET_MEAN = [0.485, 0.456, 0.406]
const IMAGENET_STD = [0.229, 0.224, 0.225]
const USUAL_CROP = 0.875
const USUAL_SIDE = 224
/** ConvNeXt's processor squashes from this side on, and crops below. */
const CONVNEXT_SQUASHES_FROM = 384
/** Levit's processor enlarges the shortest edge that its file names. */
const LEVIT_ENLARGES = 256 / 224

/** Decimal digits that a division leaves intact: 0.485 / (1 / 255) is 123.675. */
const rounded = (value: number): number => Math.round(value * 1e9) / 1e9

/** One value a colour, on 0..255. */
function perColour(values: number | readonly number[], of: (value: number) => number): Scale['mean'] {
  const list = typeof values === 'number' ? [values] : values
  if (list.length !== 1 && list.length !== 3)
    throw notForLimelight(`This model normalises ${list.length} channels; Limelight feeds pictures of three (red, green, blue).`)
  const at = (channel: number): number => rounded(of(list[channel] ?? list[0] ?? 0))
  return [at(0), at(1), at(2)]
}

function scaleOf(mean: number | readonly number[], std: number | readonly number[], factor: number, offset = 0): Scale {
  return {
    mean: perColour(mean, (value) => (value + offset) / factor),
    std: perColour(std, (value) => value / factor),
  }
}

function sidesOf(size: z.infer<typeof extent> | null | undefined): { width: number; height: number } | null {
  if (size === null || size === undefined) return null
  if (typeof size === 'number') return { width: size, height: size }
  const { width, height, shortest_edge: edge } = size
  if (width !== undefined && height !== undefined) return { width, height }
  return edge === undefined ? null : { width: edge, height: edge }
}

const isEdge = (size: Processor['size']): boolean => typeof size === 'object' && size?.shortest_edge !== undefined

function fractionOf(crop: number, resized: number, guesses: Guess[]): number {
  if (crop <= resized) return crop / resized
  guesses.push({
    field: 'preprocessing.cropFraction',
    assumed: '1',
    why: `crop_size (${crop}) is larger than the resized picture (${resized}), which is padded there and not here`,
  })
  return 1
}

function processorWindow(read: Processor, stated: Sides | null, guesses: Guess[]): Window | null {
  const size = sidesOf(read.size)
  const crop = sidesOf(read.crop_size)
  const type = read.image_processor_type ?? read.feature_extractor_type ?? ''
  if (read.do_resize === false && size === null) return null
  if (size === null) return null
  if (/^ConvNext/i.test(type) && (isEdge(read.size) || typeof read.size === 'number')) {
    if (size.width >= CONVNEXT_SQUASHES_FROM) return { ...size, resize: 'squash' }
    return { ...size, resize: 'crop', cropFraction: Math.min(1, read.crop_pct ?? USUAL_CROP) }
  }
  // A bare number, in older files: the shortest edge where the middle is cropped, both sides where it is not.
  const byEdge = isEdge(read.size) || (typeof read.size === 'number' && read.do_center_crop === true)
  if (typeof read.crop_pct === 'number' && read.do_center_crop !== false)
    return { ...(crop ?? size), resize: 'crop', cropFraction: Math.min(1, read.crop_pct) }
  if (read.do_center_crop === true && crop !== null) {
    const resized = /^Levit/i.test(type) ? Math.floor(size.width * LEVIT_ENLARGES) : Math.min(size.width, size.height)
    const cropFraction = fractionOf(Math.min(crop.width, crop.height), resized, guesses)
    if (!byEdge)
      guesses.push({
        field: 'preprocessing.resize',
        assumed: 'the middle of the picture, aspect ratio kept',
        why: `the processor squashes to ${size.width} × ${size.height} before it crops; pictures that are not square look different to the model`,
      })
    return { ...crop, resize: 'crop', cropFraction }
  }
  if (byEdge && stated === null) {
    guesses.push({
      field: 'preprocessing.resize',
      assumed: `the middle square of ${size.width} pixels`,
      why: 'the processor keeps the aspect ratio and crops nothing, so that pictures differ in size',
    })
  }
  return byEdge ? { ...(stated ?? size), resize: 'crop', cropFraction: 1 } : { ...size, resize: 'squash' }
}

interface Sides {
  readonly width: number
  readonly height: number
}
interface StatedInput {
  readonly layout: ImagePreprocessing['layout']
  readonly sides: Sides | null
}

/** What the graph says of its picture. @throws AppError BAD_MODEL for other than three channels */
function inputOf({ graph }: CardSources): StatedInput {
  if (graph === null || graph.input.length === 0) return { layout: 'NCHW', sides: null }
  const [, second, third, fourth] = graph.input
  if (graph.input.length !== 4)
    throw notForLimelight(`The ONNX file's input has ${graph.input.length} axes, and a batch of pictures has 4.`)
  const last = fourth === 3 && second !== 3
  const channels = last ? fourth : second
  if (typeof channels === 'number' && channels !== 3)
    throw notForLimelight(`The ONNX file's input has ${channels} channels; Limelight feeds pictures of three (red, green, blue).`)
  const [height, width] = last ? [second, third] : [third, fourth]
  const sides = typeof height === 'number' && typeof width === 'number' ? { width, height } : null
  return { layout: last ? 'NHWC' : 'NCHW', sides }
}

/** Pillow's number and timm's name of the filters that a card can name; bilinear it stands for without saying so. */
const BILINEAR = [2, 'bilinear']
const BICUBIC = [3, 'bicubic']

function filterOf(filter: number | string | null | undefined, guesses: Guess[]): Pick<ImagePreprocessing, 'filter'> {
  if (filter === null || filter === undefined || BILINEAR.includes(filter)) return {}
  if (BICUBIC.includes(filter)) return { filter: 'bicubic' }
  const NAMES: Readonly<Record<number, string>> = { 0: 'nearest', 1: 'Lanczos', 4: 'box', 5: 'Hamming' }
  guesses.push({
    field: 'preprocessing.filter',
    assumed: 'bilinear',
    why: `it was made for pictures resized by ${typeof filter === 'number' ? (NAMES[filter] ?? filter) : filter}`,
  })
  return {}
}

function usualWindow(stated: Sides | null, config: HubConfig, guesses: Guess[]): Window {
  const size = typeof config.image_size === 'number' ? config.image_size : config.image_size?.[0]
  const sides = stated ?? { width: size ?? USUAL_SIDE, height: size ?? USUAL_SIDE }
  const why = 'there is no preprocessor_config.json that says it'
  if (stated === null && size === undefined)
    guesses.push({ field: 'preprocessing.width, preprocessing.height', assumed: String(USUAL_SIDE), why })
  guesses.push({ field: 'preprocessing.resize', assumed: `the middle of the picture, ${USUAL_CROP} of its shorter side`, why })
  return { ...sides, resize: 'crop', cropFraction: USUAL_CROP }
}

function usualScale(guesses: Guess[]): Scale {
  const why = 'no file says how pixels are normalised'
  guesses.push({ field: 'preprocessing.mean, preprocessing.std', assumed: "ImageNet's", why })
  return scaleOf(IMAGENET_MEAN, IMAGENET_STD, 1 / 255)
}

function fromTimm(value: unknown, stated: StatedInput, config: HubConfig, guesses: Guess[]): ImagePreprocessing {
  const parsed = timmConfig.safeParse(value)
  const { input_size: input, crop_pct: fraction, crop_mode: mode, interpolation, mean, std } = parsed.success ? parsed.data : {}
  if (input && input[0] !== 3)
    throw notForLimelight(`This model reads pictures of ${input[0]} channels; Limelight feeds three (red, green, blue).`)
  const sides = input ? { width: input[2], height: input[1] } : stated.sides
  const resampling = filterOf(interpolation, guesses)
  if (mode === 'border')
    guesses.push({ field: 'preprocessing.resize', assumed: 'the middle of the picture', why: 'timm pads it with a border (crop_mode)' })
  const window: Window =
    sides === null
      ? usualWindow(null, config, guesses)
      : mode === 'squash'
        ? { ...sides, resize: 'squash' }
        : { ...sides, resize: 'crop', cropFraction: Math.min(1, fraction ?? USUAL_CROP) }
  const scale = mean && std ? scaleOf(mean, std, 1 / 255) : usualScale(guesses)
  return { kind: 'image', ...window, ...resampling, ...scale, layout: stated.layout, colour: 'RGB' }
}

function fromProcessor(read: Processor, stated: StatedInput, config: HubConfig, guesses: Guess[]): ImagePreprocessing {
  const resampling = filterOf(read.resample, guesses)
  const window = processorWindow(read, stated.sides, guesses) ?? usualWindow(stated.sides, config, guesses)
  const factor = read.do_rescale === false ? 1 : (read.rescale_factor ?? 1 / 255)
  const offset = read.rescale_offset === true ? 1 : 0
  const { image_mean: mean, image_std: std } = read
  const unstated = (mean === null || mean === undefined || std === null || std === undefined) && read.do_normalize !== false
  const scale = unstated
    ? usualScale(guesses)
    : read.do_normalize === false
      ? scaleOf(0, 1, factor, offset)
      : scaleOf(mean ?? 0, std ?? 1, factor, offset)
  const colour = read.do_flip_channel_order === true ? 'BGR' : 'RGB'
  return { kind: 'image', ...window, ...resampling, ...scale, layout: stated.layout, colour }
}

/** @throws AppError BAD_MODEL for pictures of other than three channels, and for a preprocessor_config.json that is none */
export function imagePreprocessing(config: HubConfig, sources: CardSources, guesses: Guess[]): ImagePreprocessing {
  const stated = inputOf(sources)
  if (config.pretrained_cfg) return fromTimm(config.pretrained_cfg, stated, config, guesses)
  const parsed = processor.safeParse(sources.preprocessor ?? {})
  if (!parsed.success)
    throw notForLimelight(
      `preprocessor_config.json cannot be read: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, ' ')}.`,
    )
  const made = fromProcessor(parsed.data, stated, config, guesses)
  const { sides } = stated
  if (sides === null || (sides.width === made.width && sides.height === made.height)) return made
  guesses.push({
    field: 'preprocessing.width, preprocessing.height',
    assumed: `${sides.width} × ${sides.height}`,
    why: `the graph takes nothing else, though preprocessor_config.json says ${made.width} × ${made.height}`,
  })
  return { ...made, ...sides }
}
