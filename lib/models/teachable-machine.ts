/** A Teachable Machine image export's metadata.json, read as a model card: its labels and how it wants to be fed. */
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { modelCard, oneLine, type ModelCard } from './card.ts'

const IMAGE_PACKAGE = '@teachablemachine/image'
/** Teachable Machine's other libraries. Any other name is a product of somebody's own around the image library. */
const OTHER_PACKAGE = /^@teachablemachine\/(?!image$)/

// As in the metadata of Teachable Machine's own library, libraries/image/src/custom-mobilenet.ts.
const metadata = z.object({
  labels: z.array(z.string()).min(2),
  imageSize: z.int().positive().default(224),
  modelName: z.string().default(''),
  tmVersion: z.string().default('unknown'),
  packageName: z.string().default(IMAGE_PACKAGE),
  grayscale: z.boolean().default(false),
  /** Only pose models have them, whatever their package calls itself. */
  modelSettings: z.looseObject({ posenet: z.unknown() }).optional(),
})

/** What Teachable Machine calls a model that nobody named. */
const UNNAMED = ['', 'untitled', 'tm-my-image-model', 'my-image-model']

/** The folder's name as an id: lower case, digits and hyphens. */
function idOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'teachable-machine' : slug
}

/**
 * The card of an export folder (model.json, weights.bin, metadata.json). Teachable Machine crops the middle square of a
 * picture, resizes it to `imageSize` and maps 0..255 to -1..1 (its library's `cropTo` and `capture`).
 * `defaultTap` is '': the engine takes the last map. A model that nobody named is called as its folder.
 * @throws AppError BAD_MODEL when metadata.json is missing or not of an image model in colour.
 */
export async function teachableMachineCard(folder: string): Promise<ModelCard> {
  const path = join(folder, 'metadata.json')
  const refuse = (found: string, advice: string, cause?: unknown): never => {
    throw new AppError({ code: 'BAD_MODEL', message: `${path}: ${found}`, userMessage: advice, cause })
  }
  let found: z.infer<typeof metadata>
  try {
    found = metadata.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? oneLine(cause) : String(cause)
    return refuse(
      reason,
      'The metadata.json of this Teachable Machine export cannot be read. ' +
        'Export the image model again with "Tensorflow.js", "Download", and keep its three files together.',
      cause,
    )
  }
  const isPose = found.modelSettings?.posenet !== undefined
  if (OTHER_PACKAGE.test(found.packageName) || isPose)
    refuse(
      `made by ${found.packageName}${isPose ? ' with PoseNet' : ''}`,
      `This is not an image model of Teachable Machine: its metadata.json says ${isPose ? 'it reads poses' : found.packageName}. Limelight explains its image models.`,
    )
  if (found.grayscale)
    refuse(
      'a greyscale model',
      'Greyscale Teachable Machine models are not supported. Train a standard image model, not an embedded one.',
    )
  const name = basename(resolve(folder))
  return modelCard.parse({
    id: idOf(name),
    title: UNNAMED.includes(found.modelName) ? name : found.modelName,
    summary: `A Teachable Machine image model with ${found.labels.length} classes: ${found.labels.join(', ')}.`,
    task: 'image-classification',
    labels: found.labels,
    files: { tfjs: 'model.json' },
    preprocessing: {
      kind: 'image',
      width: found.imageSize,
      height: found.imageSize,
      resize: 'crop',
      cropFraction: 1,
      layout: 'NHWC',
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      colour: 'RGB',
    },
    defaultTap: '',
    license: 'unknown: ask whoever trained it',
    provenance: {
      architecture: 'MobileNet v2 (alpha 0.35) and two dense layers',
      data: 'unknown: pictures of whoever trained it',
      recipe: `Teachable Machine ${found.tmVersion} (${found.packageName})`,
      seed: 0,
    },
    figures: [],
  })
}
