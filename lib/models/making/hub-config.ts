/**
 * A `config.json` of transformers or timm: which task it is for, and its labels. Fields as written by
 * `PretrainedConfig.to_dict` and by timm's `save_config_for_hf`.
 */
import { z } from 'zod'
import { notForLimelight, type CardSources, type Guess } from './sources.ts'

const names = z.record(z.string(), z.union([z.string(), z.number()]))
const config = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  problem_type: z.string().nullish(),
  id2label: names.nullish(),
  label2id: z.record(z.string(), z.union([z.number(), z.string()])).nullish(),
  num_labels: z.int().positive().nullish(),
  num_classes: z.int().nullish(),
  image_size: z.union([z.int(), z.array(z.int())]).nullish(),
  max_position_embeddings: z.int().nullish(),
  n_positions: z.int().nullish(),
  // timm
  architecture: z.string().nullish(),
  label_names: z.array(z.string()).nullish(),
  pretrained_cfg: z.looseObject({}).nullish(),
})
export type HubConfig = z.infer<typeof config>

/** @throws AppError BAD_MODEL for a config.json that is none */
export function readConfig(value: unknown): HubConfig {
  const read = config.safeParse(value ?? {})
  if (read.success) return read.data
  throw notForLimelight(`config.json cannot be read: ${z.prettifyError(read.error).replaceAll(/\s+/g, ' ')}.`)
}

/** Heads that are no classification of a whole text or picture, and what they do. */
const OTHER_HEADS: readonly (readonly [RegExp, string])[] = [
  [/ForConditionalGeneration|LMHeadModel|ForCausalLM|ForSeq2SeqLM|EncoderDecoder/, 'writes text'],
  [/ForMaskedLM|ForPreTraining/, 'fills in masked words'],
  [/ForTokenClassification/, 'labels every word'],
  [/ForQuestionAnswering/, 'finds answers in a text'],
  [/ForMultipleChoice/, 'chooses among texts'],
  [/ForCTC|ForAudio|ForSpeech|ForXVector/, 'listens to sound'],
  [/ForObjectDetection|ForInstanceSegmentation|ForSemanticSegmentation|ForUniversalSegmentation/, 'marks objects'],
  [/DepthEstimation|ForMaskedImageModeling/, 'makes pictures'],
  [/ForZeroShotImageClassification|CLIP|Siglip/i, 'compares pictures with sentences'],
]

const REMEDY = 'Limelight explains classifiers of pictures and of texts.'

/**
 * Whether a model reads pictures or texts.
 * @throws AppError BAD_MODEL for another task
 */
export function modalityOf(read: HubConfig, sources: CardSources, guesses: Guess[]): 'image' | 'text' {
  const architectures = read.architectures ?? []
  if (architectures.some((name) => /ForSequenceClassification/.test(name))) return 'text'
  if (architectures.some((name) => /ForImageClassification/.test(name))) return 'image'
  if (typeof read.architecture === 'string' || read.pretrained_cfg) return 'image'
  for (const name of architectures) {
    const does = OTHER_HEADS.find(([pattern]) => pattern.test(name))?.[1]
    if (does !== undefined) throw notForLimelight(`This model (${name}) ${does}. ${REMEDY}`)
    if (/Model$/.test(name) && read.id2label === undefined)
      throw notForLimelight(`This model (${name}) has no classification head: it answers features, not classes. ${REMEDY}`)
  }
  const found = sources.preprocessor !== undefined ? 'image' : sources.tokenizer !== null ? 'text' : byInput(sources)
  if (found === null)
    throw notForLimelight(
      'Neither config.json nor the files beside it say what this model reads: there is no preprocessor_config.json and no tokenizer.json. Add one, or write a card.json (docs/models.md).',
    )
  guesses.push({
    field: 'task',
    assumed: `${found}-classification`,
    why: 'config.json names no task; taken from the files beside it',
  })
  return found
}

/** A picture where the graph's input has four axes. */
function byInput({ graph }: CardSources): 'image' | null {
  return graph?.input.length === 4 ? 'image' : null
}

/** Names that transformers makes up where nobody gave any. */
const MADE_UP = /^LABEL_\d+$/

/** The labels by index; indices where there are none, with a guess that says so. @throws AppError BAD_MODEL where even their number is unknown */
export function labelsOf(read: HubConfig, { graph }: CardSources, guesses: Guess[]): string[] {
  const stated = statedLabels(read)
  const count = graph?.classes ?? stated?.size ?? read.num_labels ?? read.num_classes ?? null
  if (count === null)
    throw notForLimelight('Neither config.json (id2label, num_labels) nor the ONNX file says how many classes there are.')
  if (stated !== null && Math.max(...stated.keys()) >= count)
    throw notForLimelight(`config.json names ${stated.size} labels, and the ONNX file answers ${count} numbers. Are they of one model?`)
  const labels = Array.from({ length: count }, (_, index) => stated?.get(index) ?? String(index))
  const missing = labels.filter((_, index) => stated?.has(index) !== true).length
  if (missing > 0)
    guesses.push({ field: 'labels', assumed: 'the index of a class for its name', why: `no file names ${missing} of the ${count} classes` })
  else if (labels.every((label) => MADE_UP.test(label)))
    guesses.push({ field: 'labels', assumed: labels.slice(0, 3).join(', '), why: 'config.json has placeholders only; nobody named the classes' })
  return labels
}

function statedLabels(read: HubConfig): Map<number, string> | null {
  const { id2label, label2id, label_names: list } = read
  const pairs: (readonly [number, string])[] = id2label
    ? Object.entries(id2label).map(([index, label]) => [Number(index), String(label)])
    : label2id
      ? Object.entries(label2id).map(([label, index]) => [Number(index), label])
      : (list ?? []).map((label, index) => [index, label])
  if (pairs.length === 0) return null
  const wrong = pairs.find(([index]) => !Number.isInteger(index) || index < 0)
  if (wrong !== undefined) throw notForLimelight(`config.json names a label ${wrong[1]} without an index of a class.`)
  return new Map(pairs)
}
