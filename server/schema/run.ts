import type { Asset, Run } from '../../prisma/generated/client.ts'
import { AppError } from '../../lib/errors.ts'
import type { Diagnosis } from '../../lib/methods/diagnosis.ts'
import { mapCount, storedMaps } from '../../lib/methods/maps-asked.ts'
import type { Prediction } from '../../lib/target/predictions.ts'
import type { ResultFacts } from '../services/load-run-parts.ts'
import { floatsOf } from '../storage/float-bytes.ts'
import { answerSize } from './answer-size.ts'
import type { AnnotationTypes } from './annotation.ts'
import type { AttributionTypes } from './attribution.ts'
import type { Builder } from './builder.ts'
import type { Enums } from './enums.ts'
import type { MethodTypes } from './method.ts'
import type { ModelTypes } from './model.ts'
import {
  attributionOf,
  diagnosesIn,
  explainedOf,
  linkOf,
  mapsOf,
  methodOf,
  modelOf,
  predictionsIn,
  targetOf,
  type ExplainedView,
  type MapView,
  type RunView,
} from './run-view.ts'
import type { ShareLinkTypes } from './share-link.ts'

type Types = Enums & MethodTypes & ModelTypes & AttributionTypes & AnnotationTypes & ShareLinkTypes

/** Logits and labels of a thousand classes are read and parsed, whatever is asked of them. */
const RESULT_WEIGHT = 500
/** A whole map is read, 200 kB where it has a value a pixel, even if only its address is asked for. */
const ATTRIBUTION_WEIGHT = 10_000
/** A strip of many layers; as many maps of a value a pixel are as large as the answer may be. */
const USUAL_MAPS = 32

function addParts(builder: Builder, { DiagnosisSeverity, TargetKind, Attribution }: Types) {
  const RunError = builder.objectRef<{ code: string; message: string }>('RunError').implement({
    description: 'Why a run failed.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'Stable, for scripts.' }),
      message: t.exposeString('message', { description: 'For people: what happened and what to do.' }),
    }),
  })
  const PredictionRef = builder.objectRef<Prediction>('Prediction').implement({
    description: 'What a model says about one class.',
    fields: (t) => ({
      index: t.exposeInt('index'),
      label: t.exposeString('label'),
      logit: t.exposeFloat('logit'),
      probability: t.exposeFloat('probability', {
        nullable: true,
        description:
          "Of the logits, 0..1, by the run's `link`: over all classes together (SOFTMAX), or each class for itself (SIGMOID). null where the model gives a value and no probability (NONE).",
      }),
    }),
  })
  const DiagnosisRef = builder.objectRef<Diagnosis>('Diagnosis').implement({
    description: 'A sentence about a result that its reader must know.',
    fields: (t) => ({
      code: t.exposeString('code'),
      severity: t.field({ type: DiagnosisSeverity, resolve: ({ severity }) => severity }),
      message: t.exposeString('message'),
    }),
  })
  const Timings = builder.objectRef<ResultFacts>('Timings').implement({
    description: 'Where the time went, in milliseconds.',
    fields: (t) => ({
      queuedMs: t.exposeFloat('queuedMs', { description: 'Waiting for a worker.' }),
      loadMs: t.exposeFloat('loadMs', { description: 'Loading the model; 0 when it was loaded.' }),
      preprocessMs: t.exposeFloat('preprocessMs'),
      computeMs: t.exposeFloat('computeMs', { description: 'Prediction and attribution.' }),
      totalMs: t.exposeFloat('totalMs', { description: 'From the request until the result was ready to be stored.' }),
    }),
  })
  const ImageAsset = builder.objectRef<{ asset: Asset; url: string }>('ImageAsset').implement({
    description: 'A picture as shown: upright, at most 2048 pixels on its longer side.',
    fields: (t) => ({
      id: t.id({ description: 'sha256 of the original bytes.', resolve: ({ asset }) => asset.id }),
      url: t.exposeString('url', { description: 'JPEG, relative to this server.' }),
      width: t.int({ resolve: ({ asset }) => asset.width }),
      height: t.int({ resolve: ({ asset }) => asset.height }),
      originalWidth: t.int({ resolve: ({ asset }) => asset.originalWidth }),
      originalHeight: t.int({ resolve: ({ asset }) => asset.originalHeight }),
      format: t.string({ resolve: ({ asset }) => asset.format }),
    }),
  })
  const Explained = builder.objectRef<ExplainedView>('Explained').implement({
    description: 'The number of the model that a run explains.',
    fields: (t) => ({
      kind: t.field({ type: TargetKind, resolve: ({ target }) => target.kind }),
      title: t.exposeString('title', { description: "In words, as 'the logit of cat'." }),
      value: t.exposeFloat('value', { nullable: true, description: 'Of this input; null until the run is done.' }),
      asked: t.field({
        type: 'JSON',
        description: 'As it was asked for: the kind, and classes by their index; null for the predicted class.',
        resolve: ({ target }) => target,
      }),
    }),
  })
  const MapRef = builder.objectRef<MapView>('RunMap').implement({
    description: 'One of the maps of a run: of a layer, and of a number of the model.',
    fields: (t) => ({
      layer: t.exposeString('layer', {
        nullable: true,
        description: 'The tap it was read at; null where that is the input, or nothing in particular.',
      }),
      target: t.field({
        type: PredictionRef,
        nullable: true,
        description: 'The explained class; null where the number is of no one class.',
        resolve: ({ target }) => target,
      }),
      explained: t.field({ type: Explained, resolve: ({ explained }) => explained }),
      attribution: t.field({ type: Attribution, resolve: ({ attribution }) => attribution }),
      diagnoses: t.field({
        type: [DiagnosisRef],
        description:
          "About this map. What is to be said of the input is among the run's, which are those of its first map.",
        extensions: answerSize({ assumedSize: 10 }),
        resolve: ({ diagnoses }) => [...diagnoses],
      }),
    }),
  })
  return { RunError, PredictionRef, DiagnosisRef, Timings, ImageAsset, Explained, MapRef }
}

type Failed = Pick<Run, 'errorCode' | 'errorMessage' | 'status'>

export function errorOf({ errorCode, errorMessage, status }: Failed): { code: string; message: string } | null {
  return status === 'FAILED' ? { code: errorCode ?? 'INTERNAL', message: errorMessage ?? '' } : null
}

/** @throws AppError BAD_INPUT for a count below 0 */
function checkedCount(first: number | null): number | undefined {
  if (first === null) return undefined
  if (first >= 0) return first
  throw new AppError({ code: 'BAD_INPUT', message: `predictions: first must be 0 or more, not ${first}.` })
}

export function addRun(builder: Builder, types: Types) {
  const { RunStatus, Link, MethodRef, ModelRef, Attribution, AnnotationRef, ShareLinkRef } = types
  const { RunError, PredictionRef, DiagnosisRef, Timings, ImageAsset, Explained, MapRef } = addParts(builder, types)

  const RunRef = builder.objectRef<RunView>('Run').implement({
    description: 'One input, one model, one method, and what came of it.',
    fields: (t) => ({
      id: t.id({ resolve: ({ run }) => run.id }),
      status: t.field({ type: RunStatus, resolve: ({ run }) => run.status as 'QUEUED' }),
      progress: t.float({
        description: '0..1',
        resolve: ({ run }, _args, { runParts }) => {
          if (run.status === 'DONE') return 1
          return run.status === 'RUNNING' ? runParts.progress.load(run.id) : 0
        },
      }),
      error: t.field({ type: RunError, nullable: true, resolve: ({ run }) => errorOf(run) }),
      model: t.field({ type: ModelRef, resolve: (view, _args, context) => modelOf(view, context) }),
      method: t.field({ type: MethodRef, resolve: (view, _args, context) => methodOf(view, context) }),
      params: t.field({
        type: 'JSON',
        description: 'Every parameter, with the defaults filled in.',
        resolve: ({ run }) => JSON.parse(run.params) as unknown,
      }),
      seed: t.int({ resolve: ({ run }) => run.seed }),
      image: t.field({
        type: ImageAsset,
        nullable: true,
        resolve: async ({ run, token }, _args, { runParts }) => {
          const asset = run.assetId === null ? null : await runParts.asset.load(run.assetId)
          if (asset === null) return null
          return { asset, url: token === null ? `/api/images/${asset.id}` : `/api/shared/${token}/image` }
        },
      }),
      text: t.string({ nullable: true, resolve: ({ run }) => run.text }),
      name: t.string({
        nullable: true,
        description: 'What whoever asked first calls the input: the name of a file. null on a shared run.',
        resolve: ({ run, token }) => (token === null ? run.name : null),
      }),
      target: t.field({
        type: PredictionRef,
        nullable: true,
        description: 'The explained class; null until the run is done, and where the number is of no one class.',
        extensions: answerSize({ weight: RESULT_WEIGHT }),
        resolve: (view, _args, context) => targetOf(view, context),
      }),
      explained: t.field({
        type: Explained,
        extensions: answerSize({ weight: RESULT_WEIGHT }),
        resolve: (view, _args, context) => explainedOf(view, context),
      }),
      predictions: t.field({
        type: [PredictionRef],
        description: 'The classes, the largest logit first; empty until done.',
        args: { first: t.arg.int({ required: false, description: 'How many, 0 or more; every class when left out.' }) },
        extensions: answerSize({ weight: RESULT_WEIGHT, assumedSize: 1000, cutByFirst: true }),
        resolve: async ({ run }, { first }, { runParts }) => {
          const count = checkedCount(first ?? null)
          const result = await runParts.result.load(run.id)
          return result === null ? [] : predictionsIn(result).slice(0, count)
        },
      }),
      classCount: t.int({
        description: 'How many classes the model tells apart, and so how many predictions there are; 0 until done.',
        extensions: answerSize({ weight: RESULT_WEIGHT }),
        resolve: async ({ run }, _args, { runParts }) => {
          const result = await runParts.result.load(run.id)
          return result === null ? 0 : floatsOf(result.logits).length
        },
      }),
      link: t.field({
        type: Link,
        nullable: true,
        description: 'How the probabilities come of the logits; null until done.',
        extensions: answerSize({ weight: RESULT_WEIGHT }),
        resolve: async ({ run }, _args, { runParts }) => {
          const result = await runParts.result.load(run.id)
          return result === null ? null : linkOf(result)
        },
      }),
      attribution: t.field({
        type: Attribution,
        nullable: true,
        description: 'null until the run is done.',
        extensions: answerSize({ weight: ATTRIBUTION_WEIGHT }),
        resolve: (view, _args, context) => attributionOf(view, context),
      }),
      maps: t.field({
        type: [MapRef],
        description:
          'Every map of the run, in the order asked: by layer, then by target. The first is `attribution`, and the only one where no several were asked for; empty until done.',
        extensions: answerSize({ weight: ATTRIBUTION_WEIGHT, assumedSize: USUAL_MAPS }),
        resolve: async (view, _args, context) => [...(await mapsOf(view, context))],
      }),
      mapCount: t.int({
        description: 'How many maps were asked for, whether they are there or not.',
        resolve: ({ run }) => (run.maps === null ? 1 : mapCount(storedMaps(run.maps))),
      }),
      diagnoses: t.field({
        type: [DiagnosisRef],
        extensions: answerSize({ weight: RESULT_WEIGHT, assumedSize: 10 }),
        resolve: async ({ run }, _args, { runParts }) => {
          const result = await runParts.result.load(run.id)
          return result === null ? [] : diagnosesIn(result)
        },
      }),
      annotations: t.field({
        type: [AnnotationRef],
        description: 'Oldest first.',
        extensions: answerSize({ assumedSize: 50 }),
        resolve: async ({ run }, _args, { runParts }) =>
          (await runParts.annotations.load(run.id)).map((annotation) => ({ annotation, text: run.text })),
      }),
      shareLinks: t.field({
        type: [ShareLinkRef],
        description: 'Oldest first; empty on a shared run.',
        extensions: answerSize({ assumedSize: 10 }),
        resolve: async ({ run, token }, _args, { runParts }) =>
          token !== null ? [] : (await runParts.shareLinks.load(run.id)).map((link) => ({ link, token: null })),
      }),
      timings: t.field({
        type: Timings,
        nullable: true,
        extensions: answerSize({ weight: RESULT_WEIGHT }),
        resolve: ({ run }, _args, { runParts }) => runParts.result.load(run.id),
      }),
      provenance: t.field({
        type: 'JSON',
        description: 'Model hash, method version and library versions that made the numbers; {} until done.',
        resolve: ({ run }) => JSON.parse(run.provenance) as unknown,
      }),
      createdAt: t.field({ type: 'DateTime', resolve: ({ run }) => run.createdAt }),
      finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ run }) => run.finishedAt }),
    }),
  })
  return { RunRef, RunError, DiagnosisRef }
}
export type RunTypes = ReturnType<typeof addRun>
