/** One explanation from input to checked result: preprocess, predict, run the method, check what came out. */
import { AppError, throwIfCancelled } from './errors.ts'
import type { Link } from './engine/head.ts'
import type { Placement } from './image/preprocess.ts'
import type { RunContext } from './methods/context.ts'
import type { Diagnosis } from './methods/diagnosis.ts'
import { gradientRows } from './methods/image/shared/asked.ts'
import type { MapsAsked } from './methods/maps-asked.ts'
import type { Completeness, ImageMethod, Method, TextMethod } from './methods/method.ts'
import { parseParams } from './methods/parse-params.ts'
import { checkAvailable } from './methods/place.ts'
import { placesAt, runAt, type MapPlace } from './methods/several.ts'
import { runSharing, type SharedReads } from './methods/shared/shared-reads.ts'
import { batchSize } from './methods/text/shared/embedding.ts'
import type { ImagePreprocessing, ModelCard, Modality, TextPreprocessing } from './models/card.ts'
import type { LoadedModel } from './models/load.ts'
import { prepareImage, prepareText, type ExplainInput, type RunParts } from './prepare.ts'
import { predictionsOf, type Prediction } from './target/predictions.ts'
import { classOf, scalarOf, targetFor } from './target/scalar.ts'
import type { Target } from './target/target.ts'
import { float32, type FloatTensor } from './tensor/tensor.ts'
import { groupWords } from './text/words.ts'

export interface ExplainRequest {
  readonly method: Method
  /** Parsed by the method's own schema here. */
  readonly params: unknown
  readonly target: Target
  readonly seed: number
  /** Several maps in one run, the first of them that of `params` and `target`; left out: that one alone. */
  readonly maps?: MapsAsked | null
  /** What methods read together of this model and this input; left out: each by itself. Of one map alone. */
  readonly reads?: SharedReads | null
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
  readonly completeness: Completeness | null
}

export interface TextExplanation {
  readonly kind: 'text'
  readonly tokens: readonly ScoredSpan[]
  readonly words: readonly ScoredSpan[]
  readonly completeness: Completeness | null
}

/** What a run of several maps found beside the first. */
export interface FurtherMap {
  readonly attribution: ImageExplanation | TextExplanation
  /** About this map; what is to be said of the input is said once, of the run. */
  readonly diagnoses: readonly Diagnosis[]
}

export interface Explanation {
  /** Most probable first. */
  readonly predictions: readonly Prediction[]
  /** What makes their probabilities of the logits. */
  readonly link: Link
  /** The class that the target is about; null where it is about none in particular. */
  readonly target: Prediction | null
  /** The number that the target asked for stands for, of this input. */
  readonly scalar: number
  readonly attribution: ImageExplanation | TextExplanation
  readonly diagnoses: readonly Diagnosis[]
  /** Where several were asked for: those behind the first, in the order asked. */
  readonly further: readonly FurtherMap[]
  readonly timings: { readonly preprocessMs: number; readonly computeMs: number }
}

function wrongModality(card: ModelCard, given: Modality): AppError {
  const reads = card.preprocessing.kind === 'image' ? 'pictures, and was given text' : 'text, and was given a picture'
  return new AppError({
    code: 'WRONG_MODALITY',
    message: `${card.title} (${card.id}) reads ${reads}; ${given} needs another model.`,
  })
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

/** @throws AppError BAD_RESULT where a method does not keep what its description promises */
function checkPromises(values: FloatTensor, completeness: Completeness | null, { title, id, output }: Method): void {
  const broken = (what: string): AppError =>
    new AppError({
      code: 'BAD_RESULT',
      message: `${id}: ${what}`,
      userMessage: `${title} returned ${what}, which its description rules out. This is a fault of the method, please report it.`,
    })
  const negative = output.signed ? undefined : values.data.find((value) => value < 0)
  if (negative !== undefined) throw broken(`the value ${negative}, below zero`)
  if (output.complete && completeness === null) throw broken('no completeness error')
}

interface Ran {
  readonly logits: FloatTensor
  /** One at least. */
  readonly maps: readonly FurtherMap[]
  /** About the input. */
  readonly diagnoses: readonly Diagnosis[]
  readonly preparedAt: number
}

/** Where a run's maps are asked: one at the context's own layer and target, where no others are named. */
function placesOf(
  method: Method,
  { tap, target, facts, head }: RunContext,
  maps: MapsAsked | null,
): readonly MapPlace[] {
  if (maps === null) return [{ tap, target }]
  return placesAt({ ...maps, targets: maps.targets.map((one) => targetFor(one, head)) }, tap, method, facts)
}

function logitsOf(results: readonly { readonly logits: FloatTensor }[]): FloatTensor {
  const [first] = results
  if (first === undefined) throw new AppError({ code: 'INTERNAL', message: 'a run without a map' })
  return first.logits
}

type Request = ExplainRequest & RunParts & { readonly now: () => number }

async function explainImage(
  loaded: LoadedModel,
  { image }: Extract<ExplainInput, { kind: 'image' }>,
  preprocessing: ImagePreprocessing,
  method: ImageMethod,
  { params, maps = null, now, reads = null, ...parts }: Request,
): Promise<Ran> {
  const { context, placement, diagnoses } = await prepareImage(
    loaded,
    image,
    preprocessing,
    { of: method, params },
    parts,
    reads ?? undefined,
  )
  const preparedAt = now()
  const places = placesOf(method, context, maps)
  const results =
    reads !== null && maps === null
      ? [await runSharing(method, context, params, reads)]
      : await runAt(method, context, params, places, gradientRows(context))
  return {
    logits: logitsOf(results),
    maps: results.map(({ map, layer, completeness = null, ...result }) => {
      const [height = 0, width = 0] = map.dims
      checkValues(map, [height, width], method)
      checkPromises(map, completeness, method)
      const { signed } = method.output
      return {
        attribution: { kind: 'image', map, width, height, signed, layer, placement, completeness },
        diagnoses: result.diagnoses,
      }
    }),
    diagnoses,
    preparedAt,
  }
}

async function explainText(
  loaded: LoadedModel,
  { text }: Extract<ExplainInput, { kind: 'text' }>,
  preprocessing: TextPreprocessing,
  method: TextMethod,
  { params, maps = null, now, reads = null, ...parts }: Request,
): Promise<Ran> {
  const asked = { of: method, params }
  const { context, diagnoses } = await prepareText(loaded, text, preprocessing, asked, parts, reads ?? undefined)
  const preparedAt = now()
  const places = placesOf(method, context, maps)
  const results =
    reads !== null && maps === null
      ? [await runSharing(method, context, params, reads)]
      : await runAt(method, context, params, places, batchSize(context.tokenIds.length))
  return {
    logits: logitsOf(results),
    maps: results.map(({ scores, ...result }) => {
      checkValues(scores, [context.tokens.length], method)
      checkPromises(scores, result.completeness, method)
      const tokens = context.tokens.map((token, position) => ({
        ...token,
        score: scores.data[position] ?? Number.NaN,
        special: context.special[position] ?? false,
      }))
      return {
        attribution: {
          kind: 'text',
          tokens,
          words: groupWords(text, tokens, result.wordReduction),
          completeness: result.completeness,
        },
        diagnoses: result.diagnoses,
      }
    }),
    diagnoses,
    preparedAt,
  }
}

/**
 * Explains one scalar of one input, or several of them at several layers.
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
  if (card.preprocessing.kind !== input.kind) throw wrongModality(card, input.kind)
  checkAvailable(method, loaded.facts)
  throwIfCancelled(hooks.signal)
  const asked = { ...request, ...hooks, params: parseParams(method, request.params) }

  let ran: Ran
  if (input.kind === 'image' && card.preprocessing.kind === 'image' && method.modality === 'image')
    ran = await explainImage(loaded, input, card.preprocessing, method, asked)
  else if (input.kind === 'text' && card.preprocessing.kind === 'text' && method.modality === 'text')
    ran = await explainText(loaded, input, card.preprocessing, method, asked)
  else throw wrongModality(card, input.kind)

  const { link } = loaded.model
  const predictions = predictionsOf(float32(ran.logits.data, [ran.logits.data.length]), card.labels, link)
  const index = classOf(request.target, ran.logits.data)
  const [main, ...further] = ran.maps
  if (main === undefined) throw new AppError({ code: 'INTERNAL', message: 'a run without a map' })
  return {
    predictions,
    link,
    scalar: scalarOf(request.target, ran.logits.data, link),
    target: predictions.find((prediction) => prediction.index === index) ?? null,
    attribution: main.attribution,
    diagnoses: [...ran.diagnoses, ...main.diagnoses],
    further,
    timings: { preprocessMs: ran.preparedAt - start, computeMs: hooks.now() - ran.preparedAt },
  }
}
