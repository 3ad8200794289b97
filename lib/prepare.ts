/** From an input to what methods and metrics are given: the model's feeds, and the picture or text behind them. */
import { AppError } from './errors.ts'
import type { ExplainableModel } from './engine/model.ts'
import type { DecodedImage } from './image/decode.ts'
import { forChannels, preprocessImage, type Placement } from './image/preprocess.ts'
import { pictureUnits } from './image/units.ts'
import type { ImageContext, RunContext, TextContext, Vocabulary } from './methods/context.ts'
import type { Diagnosis } from './methods/diagnosis.ts'
import type { NeedsPlace } from './methods/need.ts'
import { checkAsked, layerIn, placeFor } from './methods/place.ts'
import type { ImagePreprocessing, TextPreprocessing } from './models/card.ts'
import type { ModelFacts } from './models/facts.ts'
import type { LoadedModel } from './models/load.ts'
import { targetFor, type Head } from './target/scalar.ts'
import type { FloatTensor } from './tensor/tensor.ts'
import { encodingDiagnoses } from './text/diagnoses.ts'
import { feedsOf, inputRoles, type Conventions, type InputRoles } from './text/feeds.ts'
import type { EncodedText } from './text/tokenizer.ts'
import { sentenceGroups, wordGroups } from './text/words.ts'

export type ExplainInput =
  { readonly kind: 'image'; readonly image: DecodedImage } | { readonly kind: 'text'; readonly text: string }

/** What a run has beside its model and its input. */
export type RunParts = Pick<RunContext, 'target' | 'seed' | 'signal' | 'progress'>

/** What is asked of a model: a method or metric, with its parsed parameters. */
export interface Asked {
  readonly of: NeedsPlace
  readonly params: unknown
}

export interface OpenedModel {
  readonly model: ExplainableModel
  readonly facts: ModelFacts
  readonly head: Head
}

/**
 * Where a model's scores are, and what makes probabilities of them.
 * @param labels how many classes its card names
 * @throws AppError BAD_MODEL where card and graph count different classes
 */
export function headOf(model: ExplainableModel, labels: number): Head {
  const stated = model.taps.find((tap) => tap.id === model.logits)?.shape.at(-1) ?? labels
  if (stated === labels) return { logits: model.logits, classes: labels, link: model.link }
  throw new AppError({
    code: 'BAD_MODEL',
    message: `The model answers ${stated} classes and its card names ${labels}.`,
  })
}

/** @throws AppError as `placeFor`, where the method cannot be asked there */
function runContext(opened: OpenedModel, { of, params }: Asked, parts: RunParts): RunContext {
  const { model, facts, head } = opened
  const { seed, signal, progress } = parts
  checkAsked(of, params, facts)
  const target = targetFor(parts.target, head)
  return { model, facts, head, target, seed, signal, progress, tap: placeFor(of, layerIn(params), facts) }
}

/** @param picture preprocessed, [1, C, H, W] */
export function imageContext(
  opened: OpenedModel,
  picture: FloatTensor,
  preprocessing: ImagePreprocessing,
  asked: Asked,
  parts: RunParts,
): ImageContext {
  const [input] = opened.model.inputs
  if (input === undefined) throw new AppError({ code: 'BAD_MODEL', message: 'the model has no input' })
  const run = runContext(opened, asked, parts)
  return { ...run, modality: 'image', feeds: { [input]: picture }, picture, input, units: pictureUnits(preprocessing) }
}

export type Encoded = Pick<EncodedText, 'ids' | 'special' | 'tokens'>

/** What a model's inputs hold. Whether the graph fixes the rows of a batch is the engine's concern: it asks as it must. */
function rolesOf({ inputs, inputInfo }: ExplainableModel, conventions?: Conventions): InputRoles {
  return { ...inputRoles(inputInfo ?? inputs, conventions), rows: null }
}

export function textContext(
  opened: OpenedModel,
  text: string,
  encoded: Encoded,
  vocabulary: Vocabulary,
  asked: Asked,
  parts: RunParts,
  conventions?: Conventions,
): TextContext {
  const { ids, special, tokens } = encoded
  const placed = tokens.map((token, at) => ({ ...token, special: special[at] ?? false }))
  const roles = rolesOf(opened.model, conventions)
  const feedsFor: TextContext['feedsFor'] = (rows) => feedsOf(rows, roles, vocabulary.pad)
  return {
    ...runContext(opened, asked, parts),
    modality: 'text',
    feeds: feedsFor([ids]).feeds,
    tokenIds: ids,
    special,
    vocabulary,
    text,
    tokens,
    words: () => wordGroups(text, placed).filter(([first = 0]) => special[first] === false),
    sentences: () => sentenceGroups(text, placed),
    feedsFor,
    roles,
  }
}

export interface PreparedImage {
  readonly context: ImageContext
  readonly placement: Placement
  readonly diagnoses: readonly Diagnosis[]
}

/** Makes something once for all who are given the same one. */
interface Once {
  prepared<T>(make: () => Promise<T>): Promise<T>
}
const ONE_BY_ONE: Once = { prepared: (make) => make() }

/** @param once for several methods that are asked of this input: it is prepared for all of them together */
export async function prepareImage(
  loaded: LoadedModel,
  image: DecodedImage,
  stated: ImagePreprocessing,
  asked: Asked,
  parts: RunParts,
  once = ONE_BY_ONE,
): Promise<PreparedImage> {
  const { model } = loaded
  const channels = model.taps.find((tap) => tap.id === model.inputs[0])?.shape[1]
  const preprocessing = forChannels(stated, channels)
  const { feed, placement } = await once.prepared(() => preprocessImage(image, preprocessing))
  const opened = { ...loaded, head: headOf(loaded.model, loaded.entry.card.labels.length) }
  return {
    context: imageContext(opened, feed, preprocessing, asked, parts),
    placement,
    diagnoses: image.diagnoses,
  }
}

export interface PreparedText {
  readonly context: TextContext
  readonly diagnoses: readonly Diagnosis[]
}

/** As {@link prepareImage}, for a text. */
export async function prepareText(
  loaded: LoadedModel,
  text: string,
  preprocessing: TextPreprocessing,
  asked: Asked,
  parts: RunParts,
  once = ONE_BY_ONE,
): Promise<PreparedText> {
  const { tokenizer, model, entry } = loaded
  if (tokenizer === null) throw new AppError({ code: 'BAD_MODEL', message: `${entry.id} has no tokenizer` })
  const { conventions } = tokenizer
  const vocabulary = { ...tokenizer.vocabulary, size: tokenizer.vocabularySize }
  const { length } = rolesOf(model, conventions)
  const maxTokens = Math.min(preprocessing.maxTokens, length ?? preprocessing.maxTokens)
  const encoded = await once.prepared(() => tokenizer.encode(text, { ...preprocessing, maxTokens }, parts.signal))
  const opened = { ...loaded, head: headOf(model, entry.card.labels.length) }
  return {
    context: textContext(opened, text, encoded, vocabulary, asked, parts, conventions),
    diagnoses: encodingDiagnoses(encoded),
  }
}
