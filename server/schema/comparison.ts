import type { Correlation } from '../../lib/compare/correlations.ts'
import { agreementsOf, distinct, sentencesOf, type Agreement } from '../../lib/compare/verdicts.ts'
import { methodFor } from '../../lib/methods/find.ts'
import type { Run } from '../../prisma/generated/client.ts'
import { cancelComparison, createComparison, waitForComparison } from '../services/create-comparison.ts'
import { comparedRuns, correlationsBetween, metricColumns, MOST_METHODS } from '../services/get-comparison.ts'
import { hasEnded } from '../services/get-run.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import type { Context } from './context.ts'
import type { EvaluationTypes } from './evaluation.ts'
import { checkWait, type ExplainTypes } from './explain.ts'
import type { RunTypes } from './run.ts'
import { ownView } from './run-view.ts'

type Types = RunTypes & EvaluationTypes & ExplainTypes

/** What is compared, in the order of the rows. */
interface ComparisonView {
  readonly runs: readonly Run[]
}

interface NamedAgreement extends Omit<Agreement, 'first' | 'second'> {
  readonly first: string
  readonly second: string
}

/** Maps are read and ranked, whatever is asked of them. */
const CORRELATIONS_WEIGHT = 100_000
const PAIRS = (MOST_METHODS * (MOST_METHODS - 1)) / 2
const USUAL_METHODS = 12

/** What each run is called in a sentence: its method, told apart. */
function namesOf(runs: readonly Run[], { parts }: Context): readonly string[] {
  return distinct(
    runs.map(({ methodId, modality }) => {
      const method = methodFor(parts.methods, modality === 'image' ? 'image' : 'text', methodId)
      return method?.title ?? methodId
    }),
  )
}

/** Share done of the runs and their evaluations, each counting alike. */
async function progressOf({ runs }: ComparisonView, { runParts }: Context): Promise<number> {
  const evaluations = (await Promise.all(runs.map(({ id }) => runParts.evaluations.load(id)))).flat()
  const all: readonly Pick<Run, 'id' | 'status'>[] = [...runs, ...evaluations]
  const shares = await Promise.all(all.map(async (one) => (hasEnded(one) ? 1 : runParts.progress.load(one.id))))
  return shares.reduce((sum, share) => sum + share, 0) / all.length
}

function addObjects(builder: Builder, { RunRef, EvaluationRef }: Types) {
  const RowRef = builder.objectRef<Run>('ComparisonRow').implement({
    description: 'One method of a comparison.',
    fields: (t) => ({
      run: t.field({ type: RunRef, resolve: (run) => ownView(run) }),
      evaluations: t.field({
        type: [EvaluationRef],
        description: 'What metrics were asked of it, oldest first: those of the comparison, and any other.',
        extensions: answerSize({ assumedSize: 20 }),
        resolve: async (run, _args, { runParts }) => [...(await runParts.evaluations.load(run.id))],
      }),
    }),
  })
  const CorrelationRef = builder
    .objectRef<Omit<Correlation, 'first' | 'second'> & { first: Run; second: Run }>('AttributionCorrelation')
    .implement({
      description:
        "How alike two runs rank the parts of the input: Spearman's rank correlation, ties sharing the mean of their ranks. Maps of two resolutions meet at the coarser one, each cell the mean of what it covers; texts at their tokens, without the special ones.",
      fields: (t) => ({
        first: t.id({ description: 'The id of a run.', resolve: ({ first }) => first.id }),
        second: t.id({ resolve: ({ second }) => second.id }),
        signed: t.exposeFloat('signed', { nullable: true, description: 'null where one of the two is constant.' }),
        absolute: t.exposeFloat('absolute', { nullable: true, description: 'Of absolute values.' }),
        parts: t.exposeInt('parts', { description: 'Cells or tokens that were ranked.' }),
      }),
    })
  const AgreementRef = builder.objectRef<NamedAgreement>('MetricAgreement').implement({
    description: 'How alike two metrics order the methods.',
    fields: (t) => ({
      first: t.exposeString('first', {
        description: 'The title of a metric, numbered where it was asked in several ways.',
      }),
      second: t.exposeString('second'),
      tau: t.exposeFloat('tau', {
        nullable: true,
        description:
          "Kendall's tau-b, better counting as better for both: 1 is the same order, -1 the reverse. null where one of them ranks all alike.",
      }),
      methods: t.exposeInt('methods', { description: 'Methods for which both are defined.' }),
    }),
  })
  return builder.objectRef<ComparisonView>('Comparison').implement({
    description:
      'Several methods on one input side by side, and what metrics say of each. Its rows are runs like any other.',
    fields: (t) => ({
      rows: t.field({
        type: [RowRef],
        extensions: answerSize({ assumedSize: USUAL_METHODS }),
        resolve: ({ runs }) => [...runs],
      }),
      progress: t.float({
        description: '0..1: of the runs and their evaluations together. 1 when all have ended, however they ended.',
        resolve: (comparison, _args, context) => progressOf(comparison, context),
      }),
      correlations: t.field({
        type: [CorrelationRef],
        description: 'Of each pair of runs that are done.',
        extensions: answerSize({ assumedSize: PAIRS, weight: CORRELATIONS_WEIGHT }),
        resolve: async ({ runs }, _args, { runParts }) => [...(await correlationsBetween(runs, runParts))],
      }),
      agreements: t.field({
        type: [AgreementRef],
        description: 'Of each pair of metrics that say something of two methods or more.',
        extensions: answerSize({ assumedSize: PAIRS }),
        resolve: async ({ runs }, _args, { parts, runParts }) => {
          const columns = await metricColumns(runs, parts.metrics, runParts)
          const titled = (at: number): string => columns[at]?.title ?? ''
          return agreementsOf(columns).map((one) => ({ ...one, first: titled(one.first), second: titled(one.second) }))
        },
      }),
      sentences: t.stringList({
        description:
          'What is to be said before a single score is read: which metrics order the methods differently, and which methods no metric tells from random numbers.',
        extensions: answerSize({ assumedSize: 20, weight: 1000 }),
        resolve: async ({ runs }, _args, context) => {
          const columns = await metricColumns(runs, context.parts.metrics, context.runParts)
          return [...sentencesOf(columns, namesOf(runs, context))]
        },
      }),
    }),
  })
}

function addInputs(builder: Builder, { ImageInput, TargetInput, MetricInput }: Types) {
  const MethodInput = builder.inputType('MethodInput', {
    description: 'A method, and how it is asked.',
    fields: (t) => ({
      id: t.id({ required: true }),
      params: t.field({
        type: 'JSON',
        required: false,
        description: "An object as the method's paramsSchema says; what is left out takes its default.",
      }),
    }),
  })
  return builder.inputType('CompareInput', {
    description: 'What to explain, by which methods, and which metrics to ask of each. Exactly one of image and text.',
    fields: (t) => ({
      model: t.id({ required: true }),
      image: t.field({ type: ImageInput, required: false }),
      text: t.string({ required: false }),
      name: t.string({ required: false, description: 'What to call the input in the history.' }),
      target: t.field({
        type: TargetInput,
        required: false,
        description: 'Left out: the logit of the predicted class.',
      }),
      methods: t.field({ type: [MethodInput], required: true, description: `1 to ${MOST_METHODS}.` }),
      metrics: t.field({
        type: [MetricInput],
        required: false,
        description: 'Those that need marks are asked of the runs by `evaluate`.',
      }),
      seed: t.int({ required: false, description: 'Of the runs and of the evaluations; 0 when left out.' }),
      randomControls: t.int({ required: false, description: 'As for `evaluate`; 5 when left out.' }),
    }),
  })
}

export function addComparison(builder: Builder, types: Types): void {
  const ComparisonRef = addObjects(builder, types)
  const CompareInput = addInputs(builder, types)
  const runIds = `1 to ${MOST_METHODS} runs of one model about one target of one input.`

  builder.queryField('comparison', (t) =>
    t.field({
      type: ComparisonRef,
      description: 'Runs side by side, in this order.',
      args: { runIds: t.arg.idList({ required: true, description: runIds }) },
      resolve: async (_root, asked, { parts }) => ({ runs: await comparedRuns(parts, asked.runIds.map(String)) }),
    }),
  )
  builder.mutationField('compare', (t) =>
    t.field({
      type: ComparisonRef,
      description:
        'Asks several methods to explain one input, and metrics to judge each. The same question answers the stored runs and evaluations. Methods that read a gradient once read it together, in one job: such a run may differ from that of `explain` in the last digits, and is a run of its own. waitMs > 0: answer when all have ended or the time is up, whichever is first.',
      args: {
        input: t.arg({ type: CompareInput, required: true }),
        waitMs: t.arg.int({ required: false, defaultValue: 0 }),
      },
      resolve: async (_root, { input, waitMs }, { parts }) => {
        const wait = checkWait(waitMs ?? 0)
        const asked = (all: readonly { id: string; params?: unknown }[]) =>
          all.map(({ id, params }) => ({ id, params: params ?? null }))
        const runs = await createComparison(parts, {
          model: input.model,
          image: input.image ?? null,
          text: input.text ?? null,
          name: input.name ?? null,
          target: input.target ?? null,
          seed: input.seed ?? null,
          methods: asked(input.methods),
          metrics: asked(input.metrics ?? []),
          randomControls: input.randomControls ?? null,
        })
        return { runs: await waitForComparison(parts, runs, wait) }
      },
    }),
  )
  builder.mutationField('cancelComparison', (t) =>
    t.field({
      type: ComparisonRef,
      description: 'Stops the runs that have not ended, and their evaluations; what has ended stays as it is.',
      args: { runIds: t.arg.idList({ required: true, description: runIds }) },
      resolve: async (_root, asked, { parts }) => ({ runs: await cancelComparison(parts, asked.runIds.map(String)) }),
    }),
  )
}
