/** One explanation from input to checked result: preprocess, predict, run the method, check what came out. */
import { AppError } from './errors.ts'
import type { DecodedImage } from './image/decode.ts'
import { preprocessImage, type Placement } from './image/preprocess.ts'
import type { LoadedModel } from './models/load.ts'
import { predictionsOf, resolveTarget, type Prediction, type TargetRequest } from './models/target.ts'
import { whyUnavailable } from './methods/availability.ts'
import { parseParams } from './methods/parse-params.ts'
import type {
  Completeness,
  Diagnosis,
  ImageMethod,
  Method,
  Modality,
  RunContext,
  TextMethod,
} from './methods/method.ts'
import type { ImagePreprocessing, ModelCard, TextPreprocessing } from './models/card.ts'
import { asFloat, float32, type FloatTensor, type Tensor } from './tensor/tensor.ts'
import { encodingDiagnoses } from './text/diagnoses.ts'
import { groupWords } from './text/words.ts'

export type ExplainInput =
  { readonly kind: 'image'; readonly image: DecodedImage } | { readonly kind: 'text'; readonly text: string }

export interface ExplainRequest {
  readonly method: Method
  /** Parsed by the method's own schema here. */
  readonly params: unknown
  /** null: the predicted class. */
  readonly target: TargetRequest | null
  readonly seed: number
}

export interface ExplainHooks {
  readonly signal: AbortSignal
  /** Share done, 0..1. */
  progress(fraction: number): void
  /** A monotonic clock in milliseconds. */
  now(): number
}

/** A stretch of the text with its score; offsets in Unicode code points. */
export interface ScoredSpan {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly score: number
  readonly special: boolean
}

export interface ImageExplanation {
  readonly kind: 'image'
  /** [height, width], raw and signed. */
  readonly map: FloatTensor
  readonly width: number
  readonly height: number
  readonly signed: boolean
  readonly layer: string | null
  readonly placement: Placement
}

export interface TextExplanation {
  readonly kind: 'text'
  readonly tokens: readonly ScoredSpan[]
  readonly words: readonly ScoredSpan[]
  readonly completeness: Completeness | null
}

export interface Explanation {
  /** Most probable first. */
  readonly predictions: readonly Prediction[]
  readonly target: Prediction
  readonly attribution: ImageExplanation | TextExplanation
  readonly diagnoses: readonly Diagnosis[]
  readonly timings: { readonly preprocessMs: number; readonly computeMs: number }
}

export function modalityOf(card: ModelCard): Modality {
  return card.preprocessing.kind
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
}

function wrongModality(card: ModelCard, given: Modality): AppError {
  const reads = modalityOf(card) === 'image' ? 'pictures, and was given text' : 'text, and was given a picture'
  return new AppError({
    code: 'WRONG_MODALITY',
    message: `${card.title} (${card.id}) reads ${reads}; ${given} needs another model.`,
  })
}

/** The class to explain: the one asked for, else the predicted one, which costs a forward pass. */
async function targetIndex(
  loaded: LoadedModel,
  feeds: Readonly<Record<string, Tensor>>,
  request: ExplainRequest,
  signal: AbortSignal,
): Promise<number> {
  const { labels } = loaded.entry.card
  const asked = resolveTarget(request.target, labels)
  if (asked !== null) return asked
  const { model } = loaded
  const answer = await model.ask({ feeds, read: [model.logits] }, signal)
  const logits = answer.values[model.logits]
  if (logits === undefined) throw new AppError({ code: 'INTERNAL', message: 'the engine returned no logits' })
  const [first] = predictionsOf(asFloat(logits, model.logits), labels)
  if (first === undefined) throw new AppError({ code: 'BAD_MODEL', message: 'the model has no classes' })
  return first.index
}

/** @throws AppError BAD_RESULT: nothing blank, ragged or not finite is ever stored. */
function checkValues(values: FloatTensor, dims: readonly number[], method: Method): void {
  const shape = values.dims.join(' x ')
  if (shape !== dims.join(' x ') || values.data.length === 0)
    throw new AppError({
      code: 'BAD_RESULT',
      message: `${method.id} returned values of shape ${shape}, expected ${dims.join(' x ')}`,
      userMessage: `${method.title} returned a result of the wrong shape. This is a fault of the method, please report it.`,
    })
  const bad = values.data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new AppError({
      code: 'BAD_RESULT',
      message: `${method.id} returned ${values.data[bad]} at ${bad}`,
      userMessage: `${method.title} produced numbers that are not finite for this input, so there is no map to show. Try another layer or class.`,
    })
}

interface Ran {
  readonly logits: FloatTensor
  readonly attribution: ImageExplanation | TextExplanation
  readonly diagnoses: readonly Diagnosis[]
  readonly index: number
  readonly preprocessedAt: number
}

type Common = Omit<RunContext, 'target'>

async function explainImage(
  loaded: LoadedModel,
  image: DecodedImage,
  preprocessing: ImagePreprocessing,
  method: ImageMethod,
  request: ExplainRequest & { params: unknown },
  common: Common,
  now: () => number,
): Promise<Ran> {
  const { feed, placement } = await preprocessImage(image, preprocessing)
  const preprocessedAt = now()
  const [input] = loaded.model.inputs
  if (input === undefined) throw new AppError({ code: 'BAD_MODEL', message: 'the model has no input' })
  const feeds = { [input]: feed }
  const index = await targetIndex(loaded, feeds, request, common.signal)
  const result = await method.run({ ...common, modality: 'image', feeds, target: { index } }, request.params)
  const [height = 0, width = 0] = result.map.dims
  checkValues(result.map, [height, width], method)
  return {
    logits: result.logits,
    attribution: {
      kind: 'image',
      map: result.map,
      width,
      height,
      signed: method.output.signed,
      layer: result.layer,
      placement,
    },
    diagnoses: [...image.diagnoses, ...result.diagnoses],
    index,
    preprocessedAt,
  }
}

async function explainText(
  loaded: LoadedModel,
  text: string,
  preprocessing: TextPreprocessing,
  method: TextMethod,
  request: ExplainRequest & { params: unknown },
  common: Common,
  now: () => number,
): Promise<Ran> {
  const { tokenizer } = loaded
  if (tokenizer === null) throw new AppError({ code: 'BAD_MODEL', message: `${loaded.entry.id} has no tokenizer` })
  const encoded = await tokenizer.encode(text, preprocessing, common.signal)
  const preprocessedAt = now()
  const { feeds } = encoded
  const index = await targetIndex(loaded, feeds, request, common.signal)
  const result = await method.run(
    {
      ...common,
      modality: 'text',
      feeds,
      tokenIds: encoded.ids,
      special: encoded.special,
      vocabulary: tokenizer.vocabulary,
      target: { index },
    },
    request.params,
  )
  checkValues(result.scores, [encoded.ids.length], method)
  const tokens = encoded.tokens.map((token, position) => ({
    ...token,
    score: result.scores.data[position] ?? Number.NaN,
    special: encoded.special[position] ?? false,
  }))
  return {
    logits: result.logits,
    attribution: {
      kind: 'text',
      tokens,
      words: groupWords(text, tokens, result.wordReduction),
      completeness: result.completeness,
    },
    diagnoses: [...encodingDiagnoses(encoded), ...result.diagnoses],
    index,
    preprocessedAt,
  }
}

/**
 * Explains one class of one input.
 * @throws AppError WRONG_MODALITY, METHOD_UNAVAILABLE, BAD_PARAMETER, UNKNOWN_LABEL, UNKNOWN_LAYER, BAD_TEXT,
 *   TEXT_TOO_LONG, BAD_RESULT, CANCELLED.
 */
export async function explain(
  loaded: LoadedModel,
  input: ExplainInput,
  request: ExplainRequest,
  hooks: ExplainHooks,
): Promise<Explanation> {
  const start = hooks.now()
  const { card } = loaded.entry
  const { method } = request
  if (modalityOf(card) !== input.kind) throw wrongModality(card, input.kind)
  const reason = await whyUnavailable(method, loaded.model, modalityOf(card))
  if (reason !== null)
    throw new AppError({
      code: 'METHOD_UNAVAILABLE',
      message: `${method.title} cannot explain ${card.title}. ${reason}`,
    })
  const parsed = { ...request, params: parseParams(method, request.params) }
  const { signal, progress, now } = hooks
  throwIfAborted(signal)
  const common: Common = { model: loaded.model, seed: request.seed, signal, progress }

  let ran: Ran
  if (input.kind === 'image' && card.preprocessing.kind === 'image' && method.modality === 'image')
    ran = await explainImage(loaded, input.image, card.preprocessing, method, parsed, common, now)
  else if (input.kind === 'text' && card.preprocessing.kind === 'text' && method.modality === 'text')
    ran = await explainText(loaded, input.text, card.preprocessing, method, parsed, common, now)
  else throw wrongModality(card, input.kind)

  const predictions = predictionsOf(float32(ran.logits.data, [ran.logits.data.length]), card.labels)
  const target = predictions.find((prediction) => prediction.index === ran.index)
  if (target === undefined) throw new AppError({ code: 'INTERNAL', message: `no prediction for class ${ran.index}` })
  return {
    predictions,
    target,
    attribution: ran.attribution,
    diagnoses: ran.diagnoses,
    timings: { preprocessMs: ran.preprocessedAt - start, computeMs: now() - ran.preprocessedAt },
  }
}
