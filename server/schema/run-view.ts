/** A run as the schema sees it, and what is read out of its stored parts. */
import type { Link } from '../../lib/engine/head.ts'
import { scalarIn, withScalar } from '../../lib/methods/text/shared/scalar-param.ts'
import { predictionsOf, type Prediction } from '../../lib/target/predictions.ts'
import { targetInWords } from '../../lib/target/request.ts'
import { classOf, scalarOf, settled, targetFor } from '../../lib/target/scalar.ts'
import { storedTarget, type Target } from '../../lib/target/target.ts'
import { modelCard } from '../../lib/models/card.ts'
import { refOf } from '../../lib/models/model-ref.ts'
import type { Diagnosis } from '../../lib/methods/diagnosis.ts'
import type { Method } from '../../lib/methods/method.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import type { Run } from '../../prisma/generated/client.ts'
import { AppError } from '../../lib/errors.ts'
import { methodFor } from '../../lib/methods/find.ts'
import { askedAt, storedMaps } from '../../lib/methods/maps-asked.ts'
import type { ResultFacts } from '../services/load-run-parts.ts'
import { floatsOf } from '../storage/float-bytes.ts'
import { linkIn, type StoredDetail } from '../storage/stored-detail.ts'
import { z } from 'zod'
import type { ImageAttributionView, TextAttributionView } from './attribution.ts'
import type { Context } from './context.ts'
import { viewOf, type ModelView } from './model.ts'

export interface RunView {
  readonly run: Run
  /** The token through which it is seen; null for its owner. */
  readonly token: string | null
}

export function ownView(run: Run): RunView {
  return { run, token: null }
}

/** Where the pictures of this run are served. */
function baseOf({ run, token }: RunView): string {
  return token === null ? `/api/runs/${run.id}` : `/api/shared/${token}`
}

export async function modelOf({ run }: RunView, { parts, runParts }: Context): Promise<ModelView> {
  const entry = (await parts.catalogue.list()).find((one) => refOf(one) === run.modelVersionId)
  if (entry !== undefined) return viewOf(entry)
  const version = await runParts.modelVersion.load(run.modelVersionId)
  if (version === null) throw new AppError({ code: 'INTERNAL', message: `run ${run.id} has no model version` })
  return { id: version.modelId, card: modelCard.parse(JSON.parse(version.card)), sha256: version.sha256, entry: null }
}

/** The method that made the run; a stand-in where this Limelight does not have it any more. */
export function methodOf({ run }: RunView, { parts }: Context): Method {
  const modality = run.modality === 'image' ? 'image' : 'text'
  const found = methodFor(parts.methods, modality, run.methodId)
  if (found !== null) return { ...found, version: run.methodVersion }
  return {
    id: run.methodId,
    version: run.methodVersion,
    modality,
    family: 'retired',
    title: run.methodId,
    summary: 'This Limelight does not have this method any more.',
    meaning: '',
    misleads: '',
    paper: null,
    needs: [],
    params: z.looseObject({}),
    output: { kind: modality === 'image' ? 'map' : 'tokens', signed: true, complete: false },
    cost: () => 0,
    run: () => Promise.reject(new AppError({ code: 'UNKNOWN_METHOD', message: `There is no method ${run.methodId}.` })),
  }
}

/** What made probabilities of a run's logits. */
export function linkOf(result: ResultFacts): Link {
  return linkIn(JSON.parse(result.detail) as StoredDetail)
}

export function predictionsIn(result: ResultFacts): readonly Prediction[] {
  const logits = floatsOf(result.logits)
  return predictionsOf(float32(logits, [logits.length]), JSON.parse(result.labels) as string[], linkOf(result))
}

export function diagnosesIn(result: ResultFacts): Diagnosis[] {
  return JSON.parse(result.diagnoses) as Diagnosis[]
}

/** The class that was explained; before the run is done, the class that was asked for has no numbers yet. */
export async function targetOf({ run }: RunView, { runParts }: Context): Promise<Prediction | null> {
  const result = await runParts.result.load(run.id)
  if (result === null) return null
  return predictionsIn(result).find((prediction) => prediction.index === result.targetIndex) ?? null
}

export async function attributionOf(
  view: RunView,
  { runParts }: Context,
): Promise<ImageAttributionView | TextAttributionView | null> {
  const [result, bytes] = await Promise.all([runParts.result.load(view.run.id), runParts.attribution.load(view.run.id)])
  if (result === null || bytes === null) return null
  return viewAttribution(view, 0, result.detail, bytes)
}

function viewAttribution(
  view: RunView,
  place: number,
  stored: string,
  bytes: Uint8Array,
): ImageAttributionView | TextAttributionView {
  const detail = JSON.parse(stored) as StoredDetail
  const values = floatsOf(bytes)
  return detail.kind === 'image' ? { detail, values, base: baseOf(view), place } : { detail, scores: values }
}

/** What a run explains. */
export interface ExplainedView {
  readonly target: Target
  readonly title: string
  readonly value: number | null
}

export async function explainedOf(view: RunView, context: Context): Promise<ExplainedView> {
  const { run } = view
  const result = await context.runParts.result.load(run.id)
  const asked = askedOf(run, storedTarget(run))
  if (result !== null) return explainedIn(result, asked)
  const { card } = await modelOf(view, context)
  return { target: asked, title: targetInWords(asked, card.labels), value: null }
}

/** With what a parameter of the method makes of the target. */
function askedOf({ params }: Run, target: Target): Target {
  return withScalar(target, scalarIn(JSON.parse(params)))
}

function settledIn(result: ResultFacts, asked: Target) {
  const logits = floatsOf(result.logits)
  const link = linkOf(result)
  return { logits, link, target: settled(targetFor(asked, { classes: logits.length, link }), logits) }
}

function explainedIn(result: ResultFacts, asked: Target): ExplainedView {
  const { logits, link, target } = settledIn(result, asked)
  const title = targetInWords(target, JSON.parse(result.labels) as string[])
  return { target: asked, title, value: scalarOf(target, logits, link) }
}

/** One of a run's maps. */
export interface MapView {
  readonly layer: string | null
  readonly target: Prediction | null
  readonly explained: ExplainedView
  readonly attribution: ImageAttributionView | TextAttributionView
  readonly diagnoses: readonly Diagnosis[]
}

/** Every map of a run, the main one first; none until it is done. */
export async function mapsOf(view: RunView, { runParts }: Context): Promise<readonly MapView[]> {
  const { run } = view
  const [result, main, further] = await Promise.all([
    runParts.result.load(run.id),
    runParts.attribution.load(run.id),
    run.maps === null ? [] : runParts.furtherMaps.load(run.id),
  ])
  if (result === null || main === null) return []
  const predictions = predictionsIn(result)
  const asked = run.maps === null ? null : storedMaps(run.maps)
  const { detail, diagnoses } = result
  return [{ position: 0, attribution: main, detail, diagnoses }, ...further].map((found) => {
    const at = asked === null ? null : askedAt(asked, found.position)
    const stated = askedOf(run, at?.target ?? storedTarget(run))
    const { logits, target } = settledIn(result, stated)
    const index = classOf(target, logits)
    const attribution = viewAttribution(view, found.position, found.detail, found.attribution)
    return {
      layer: 'base' in attribution ? attribution.detail.layer : (at?.layer ?? null),
      target: predictions.find((prediction) => prediction.index === index) ?? null,
      explained: explainedIn(result, stated),
      attribution,
      diagnoses: JSON.parse(found.diagnoses) as Diagnosis[],
    }
  })
}
