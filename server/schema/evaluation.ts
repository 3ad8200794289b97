import { z } from 'zod'
import { AppError } from '../../lib/errors.ts'
import type { Control } from '../../lib/metrics/controls.ts'
import { methodFor } from '../../lib/methods/find.ts'
import { whyNoMetric } from '../../lib/metrics/available.ts'
import type { Curve, Metric } from '../../lib/metrics/metric.ts'
import type { Interval } from '../../lib/metrics/shared/statistics.ts'
import type { Evaluation } from '../../prisma/generated/client.ts'
import { createEvaluations } from '../services/create-evaluations.ts'
import type { StoredJudgement } from '../services/evaluation-store.ts'
import { offeredMetrics, type OfferedMetric } from '../services/judged-run.ts'
import { cancelEvaluation, getEvaluation, waitForEvaluations, watchEvaluation } from '../services/watch-evaluation.ts'
import type { AnnotationTypes } from './annotation.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import type { Context } from './context.ts'
import type { Enums } from './enums.ts'
import { checkWait } from './explain.ts'
import type { MetricTypes } from './metric.ts'
import { describe, type ModelTypes } from './model.ts'
import { errorOf, type RunTypes } from './run.ts'

type Types = Enums & MetricTypes & AnnotationTypes & ModelTypes & RunTypes

/** Points of a curve at most: one a step, and the start. */
const LARGEST_CURVE = 1001

function judgementOf({ result }: Evaluation): StoredJudgement | null {
  return result === null ? null : (JSON.parse(result) as StoredJudgement)
}

/** The metric that made it; a stand-in where this Limelight does not have it any more. */
function metricOf(evaluation: Evaluation, { parts }: Context): Metric {
  const modality = evaluation.modality === 'image' ? 'image' : 'text'
  const found = methodFor(parts.metrics, modality, evaluation.metricId)
  if (found !== null) return { ...found, version: evaluation.metricVersion }
  return {
    id: evaluation.metricId,
    version: evaluation.metricVersion,
    modality,
    family: 'faithfulness',
    title: evaluation.metricId,
    summary: 'This Limelight does not have this metric any more.',
    meaning: '',
    misleads: '',
    paper: null,
    needs: [],
    needsAnnotation: false,
    params: z.looseObject({}),
    better: 'higher',
    cost: () => 0,
    run: () =>
      Promise.reject(new AppError({ code: 'UNKNOWN_METHOD', message: `There is no metric ${evaluation.metricId}.` })),
  }
}

function addParts(builder: Builder) {
  const IntervalRef = builder.objectRef<Interval>('Interval').implement({
    description: 'A 95 % interval.',
    fields: (t) => ({
      low: t.float({ resolve: ([low]) => low }),
      high: t.float({ resolve: ([, high]) => high }),
    }),
  })
  const CurveRef = builder.objectRef<Curve>('Curve').implement({
    description: 'What was measured while more and more of the input was perturbed.',
    fields: (t) => ({
      share: t.floatList({
        description: 'Share of the input, 0..1.',
        extensions: answerSize({ assumedSize: LARGEST_CURVE }),
        resolve: ({ share }) => [...share],
      }),
      value: t.floatList({
        description: 'The probability of the explained class there, unless the metric says otherwise; as many.',
        extensions: answerSize({ assumedSize: LARGEST_CURVE }),
        resolve: ({ value }) => [...value],
      }),
    }),
  })
  const ControlRef = builder.objectRef<Control>('MetricControl').implement({
    description: 'What the metric says of an attribution that knows nothing of the model.',
    fields: (t) => ({
      id: t.exposeID('id', {
        description:
          'random: numbers drawn between the least and the largest of the attribution, for several seeds. uniform: the same number everywhere. edges: the edges of the picture.',
      }),
      value: t.exposeFloat('value', {
        nullable: true,
        description: 'Of random: the mean over its seeds. null where the metric is not defined for it.',
      }),
      interval: t.field({
        type: IntervalRef,
        nullable: true,
        description: "Of random: 95 % of its mean, by Student's t over the seeds.",
        resolve: ({ interval }) => interval,
      }),
      samples: t.exposeInt('samples', { description: 'Attributions behind the value.' }),
      curve: t.field({ type: CurveRef, nullable: true, resolve: ({ curve }) => curve }),
    }),
  })
  return { IntervalRef, CurveRef, ControlRef }
}

/** A judgement is read and parsed, whatever is asked of it. */
const JUDGEMENT_WEIGHT = 100

function addObjects(builder: Builder, { RunStatus, MetricRef, RunError, DiagnosisRef }: Types) {
  const { IntervalRef, CurveRef, ControlRef } = addParts(builder)
  return builder.objectRef<Evaluation>('Evaluation').implement({
    description:
      'What one metric says of one run, beside what it says of controls. A value that the controls reach too tells nothing.',
    fields: (t) => ({
      id: t.exposeID('id'),
      metric: t.field({ type: MetricRef, resolve: (evaluation, _args, context) => metricOf(evaluation, context) }),
      params: t.field({
        type: 'JSON',
        description: 'Every parameter, with the defaults filled in.',
        resolve: ({ params }) => JSON.parse(params) as unknown,
      }),
      seed: t.exposeInt('seed'),
      randomControls: t.exposeInt('randomControls', { description: 'Seeds of the random control.' }),
      status: t.field({ type: RunStatus, resolve: ({ status }) => status as 'QUEUED' }),
      progress: t.float({
        description: '0..1',
        resolve: ({ id, status }, _args, { runParts }) => {
          if (status === 'DONE') return 1
          return status === 'RUNNING' ? runParts.progress.load(id) : 0
        },
      }),
      error: t.field({ type: RunError, nullable: true, resolve: errorOf }),
      value: t.float({
        nullable: true,
        description: 'null until done, and where the metric is not defined for this explanation: `diagnoses` says why.',
        extensions: answerSize({ weight: JUDGEMENT_WEIGHT }),
        resolve: (evaluation) => judgementOf(evaluation)?.value ?? null,
      }),
      interval: t.field({
        type: IntervalRef,
        nullable: true,
        description:
          '95 % of a mean over what the metric draws at random; null where it draws nothing, or tells the largest.',
        resolve: (evaluation) => judgementOf(evaluation)?.interval ?? null,
      }),
      curve: t.field({
        type: CurveRef,
        nullable: true,
        description: 'What the value is made of, where it is made of one.',
        resolve: (evaluation) => judgementOf(evaluation)?.curve ?? null,
      }),
      controls: t.field({
        type: [ControlRef],
        description: 'Empty until done.',
        extensions: answerSize({ assumedSize: 3 }),
        resolve: (evaluation) => [...(judgementOf(evaluation)?.controls ?? [])],
      }),
      diagnoses: t.field({
        type: [DiagnosisRef],
        extensions: answerSize({ assumedSize: 2 }),
        resolve: (evaluation) => [...(judgementOf(evaluation)?.diagnoses ?? [])],
      }),
      annotation: t.field({
        type: 'JSON',
        nullable: true,
        description: 'The marks that it was compared with: { kind: "boxes", boxes } or { kind: "spans", spans }.',
        resolve: ({ marks }) => (marks === null ? null : (JSON.parse(marks) as unknown)),
      }),
      provenance: t.field({
        type: 'JSON',
        description: 'Metric version and library versions that made the numbers; {} until done.',
        resolve: ({ provenance }) => JSON.parse(provenance) as unknown,
      }),
      createdAt: t.field({ type: 'DateTime', resolve: ({ createdAt }) => createdAt }),
      finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ finishedAt }) => finishedAt }),
    }),
  })
}

function addInputs(builder: Builder, { BoxInput, SpanInput }: Types) {
  const MetricInput = builder.inputType('MetricInput', {
    description: 'A metric, and how it is asked.',
    fields: (t) => ({
      id: t.id({ required: true }),
      params: t.field({
        type: 'JSON',
        required: false,
        description: "An object as the metric's paramsSchema says; what is left out takes its default.",
      }),
    }),
  })
  const MarksInput = builder.inputType('MarksInput', {
    description: 'What a person marked: boxes on a picture, or spans of a text.',
    fields: (t) => ({
      boxes: t.field({ type: [BoxInput], required: false }),
      spans: t.field({ type: [SpanInput], required: false }),
    }),
  })
  return { MetricInput, MarksInput }
}

/** Metrics beside models and runs: what is offered, and what was found. */
function addFields(
  builder: Builder,
  { ModelRef, RunRef, MetricRef }: Types,
  EvaluationRef: ReturnType<typeof addObjects>,
) {
  const MetricAvailability = builder.objectRef<OfferedMetric>('MetricAvailability').implement({
    description: 'Whether a metric can judge explanations of a model, and if not, why.',
    fields: (t) => ({
      metric: t.field({ type: MetricRef, resolve: ({ metric }) => metric }),
      available: t.boolean({ resolve: ({ reason }) => reason === null }),
      reason: t.exposeString('reason', { nullable: true }),
      passes: t.exposeFloat('passes', {
        nullable: true,
        description:
          'Forward passes through the model that it takes of a run with its defaults and all controls, an upper bound; null where no run is asked about.',
      }),
    }),
  })
  builder.objectField(ModelRef, 'metrics', (t) =>
    t.field({
      type: [MetricAvailability],
      nullable: true,
      description: "The metrics for explanations of the model's modality. Loads the model when it is not loaded yet.",
      extensions: answerSize({ assumedSize: 50 }),
      resolve: async (model, _args, context) => {
        const described = await describe(model, context)
        return context.parts.metrics
          .filter((metric) => metric.modality === model.card.preprocessing.kind)
          .map((metric) => ({ metric, reason: whyNoMetric(metric, described), passes: null }))
      },
    }),
  )
  builder.objectField(RunRef, 'metrics', (t) =>
    t.field({
      type: [MetricAvailability],
      nullable: true,
      description:
        'The metrics that this run can be asked about, and what each costs. null with an error where it cannot be judged (not DONE, or what made it has changed); empty on a shared run. Loads the model when it is not loaded yet.',
      extensions: answerSize({ assumedSize: 50 }),
      resolve: async ({ run, token }, _args, { parts }) =>
        token === null ? [...(await offeredMetrics(parts, run.id))] : [],
    }),
  )
  builder.objectField(RunRef, 'evaluations', (t) =>
    t.field({
      type: [EvaluationRef],
      description: 'What metrics were asked of this run, oldest first.',
      extensions: answerSize({ assumedSize: 20 }),
      resolve: async ({ run }, _args, { runParts }) => [...(await runParts.evaluations.load(run.id))],
    }),
  )
}

export function addEvaluation(builder: Builder, types: Types) {
  const EvaluationRef = addObjects(builder, types)
  const { MetricInput, MarksInput } = addInputs(builder, types)
  addFields(builder, types, EvaluationRef)

  builder.mutationField('evaluate', (t) =>
    t.field({
      type: [EvaluationRef],
      description:
        'Asks what metrics say of a finished run. The same question answers the stored evaluation. waitMs > 0: answer when all have ended or the time is up, whichever is first.',
      extensions: answerSize({ assumedSize: 50 }),
      args: {
        runId: t.arg.id({ required: true }),
        metrics: t.arg({ type: [MetricInput], required: true }),
        seed: t.arg.int({ required: false, description: 'For what is drawn at random; 0 when left out.' }),
        randomControls: t.arg.int({
          required: false,
          description: 'Seeds of the random control, 2 or more; 5 when left out.',
        }),
        annotation: t.arg({
          type: MarksInput,
          required: false,
          description: 'In place of the boxes or spans that the run is annotated with.',
        }),
        waitMs: t.arg.int({ required: false, defaultValue: 0 }),
      },
      resolve: async (_root, { runId, waitMs, metrics, ...asked }, { parts }) => {
        const wait = checkWait(waitMs ?? 0)
        const { seed = null, randomControls = null, annotation = null } = asked
        const marked = annotation && { boxes: annotation.boxes ?? null, spans: annotation.spans ?? null }
        const named = metrics.map(({ id, params }) => ({ id, params: params ?? null }))
        const question = { metrics: named, seed, randomControls, annotation: marked }
        const created = await createEvaluations(parts, runId, question)
        return [...(await waitForEvaluations(parts, created, wait))]
      },
    }),
  )
  builder.mutationField('cancelEvaluation', (t) =>
    t.field({
      type: EvaluationRef,
      description: 'Stops an evaluation that has not ended; one that has ended stays as it is.',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => cancelEvaluation(parts, id),
    }),
  )
  builder.subscriptionField('evaluationUpdated', (t) =>
    t.field({
      type: EvaluationRef,
      description:
        'The evaluation now, and again whenever its status or progress changes; ends when the evaluation has ended.',
      args: { id: t.arg.id({ required: true }) },
      subscribe: async (_root, { id }, { parts }) => {
        await getEvaluation(parts, id)
        return watchEvaluation(parts, id)
      },
      resolve: (evaluation) => evaluation,
    }),
  )
  return { EvaluationRef, MetricInput }
}

export type EvaluationTypes = ReturnType<typeof addEvaluation>
