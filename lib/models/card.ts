/** The model card: `models/<id>/card.json`, everything Limelight needs to know to run and to present a model. */
import { z } from 'zod'
import { LINKS, type StatedHead } from '../engine/head.ts'

export const PROBLEM_TYPES = ['single_label_classification', 'multi_label_classification', 'regression'] as const

const imagePreprocessing = z.strictObject({
  kind: z.literal('image'),
  /** Input extent in pixels. */
  width: z.int().positive(),
  height: z.int().positive(),
  /** 'squash': the whole picture, aspect ratio not kept. 'crop': shorter side resized, centre cropped. */
  resize: z.enum(['squash', 'crop']),
  /** Cropped side / resized shorter side; only for 'crop'. */
  cropFraction: z.number().gt(0).max(1).optional(),
  /** How it is resized, antialiased: Pillow's filter of that name. Left out: bilinear. */
  filter: z.enum(['bilinear', 'bicubic']).optional(),
  layout: z.enum(['NCHW', 'NHWC']),
  /** (value in 0..255 - mean) / std, per channel. */
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number(), z.number(), z.number()]),
  /** 'L': one channel, luminance as Pillow has it; the first of `mean` and of `std` is its own. */
  colour: z.enum(['RGB', 'BGR', 'L']),
})
const textPreprocessing = z.strictObject({
  kind: z.literal('text'),
  /** Special tokens included. */
  maxTokens: z.int().positive(),
  truncation: z.enum(['head', 'head-tail']),
  /** Share of the kept tokens taken from the start; only for 'head-tail'. */
  headFraction: z.number().gt(0).lt(1).optional(),
  lowercase: z.boolean(),
})
/** Files beside a tokenizer.json that name its special tokens, such as the mask, in the order in which they are believed. */
export const SPECIAL_TOKEN_FILES = ['tokenizer_config.json', 'special_tokens_map.json'] as const

export const modelCard = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  title: z.string(),
  summary: z.string().default(''),
  task: z.enum(['image-classification', 'text-classification']),
  /** In the order of the outputs. One output with two labels is the second one's; one label is an output for itself. */
  labels: z.array(z.string()).min(1),
  /** How the scores become probabilities; left out, as the graph shows. 'none': the output is taken as it is. */
  link: z.enum(LINKS).optional(),
  /** The output that holds the class scores, by name; left out, the one that fits the labels. */
  output: z.string().optional(),
  /** As Hugging Face's config.json has it; `link` goes before it. */
  problemType: z.enum(PROBLEM_TYPES).optional(),
  files: z.strictObject({
    onnx: z.string().optional(),
    tfjs: z.string().optional(),
    tokenizer: z.string().optional(),
  }),
  preprocessing: z.discriminatedUnion('kind', [imagePreprocessing, textPreprocessing]),
  /** '' or left out: the engine's own choice, the last spatial map of a CNN, the embedding of a text model. */
  defaultTap: z.string().default(''),
  taps: z.record(z.string(), z.string()).optional(),
  license: z.string().default('unknown'),
  provenance: z
    .strictObject({
      architecture: z.string().default('unknown'),
      data: z.string().default('unknown'),
      recipe: z.string().default('unknown'),
      seed: z.number().default(0),
    })
    .prefault({}),
  figures: z
    .array(
      z.strictObject({
        dataset: z.string(),
        n: z.int(),
        metric: z.string(),
        value: z.number(),
        command: z.string(),
      }),
    )
    .default([]),
  extra: z.record(z.string(), z.unknown()).optional(),
})
export type ModelCard = z.infer<typeof modelCard>
/** What a model reads. */
export type Modality = ModelCard['preprocessing']['kind']
export type ImagePreprocessing = z.infer<typeof imagePreprocessing>
export type TextPreprocessing = z.infer<typeof textPreprocessing>

const LINK_OF_PROBLEM = {
  // Over all classes, or each for itself and the largest taken: the graph knows.
  single_label_classification: undefined,
  multi_label_classification: 'sigmoid',
  regression: 'none',
} as const

/** What a card says of its model's head. */
export function statedHead({
  labels,
  link,
  output,
  problemType,
}: Pick<ModelCard, 'labels' | 'link' | 'output' | 'problemType'>): StatedHead {
  return {
    labels: labels.length,
    output,
    link: link ?? (problemType === undefined ? undefined : LINK_OF_PROBLEM[problemType]),
  }
}

/** What is wrong with a file, field by field, in one line. */
export function oneLine(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')
}
