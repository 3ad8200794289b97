import type { ChannelStatistics } from '../../lib/statistics/channels.ts'
import { LAYOUTS, type ChannelLayout } from '../../lib/statistics/layout.ts'
import { idIn } from '../../lib/models/model-ref.ts'
import { createStatistics, MOST_INPUTS } from '../services/create-statistics.ts'
import { readCounts, statisticsIn } from '../services/read-statistics.ts'
import type { StatisticsRow, StoredStatistics, StoredTap } from '../services/statistics-store.ts'
import {
  cancelStatistics,
  deleteStatistics,
  getStatistics,
  waitForStatistics,
  watchStatistics,
} from '../services/watch-statistics.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import type { Context } from './context.ts'
import type { Enums } from './enums.ts'
import { checkWait, type ExplainTypes } from './explain.ts'
import { errorOf, type RunTypes } from './run.ts'

type Types = Enums & RunTypes & ExplainTypes

interface TapView {
  readonly tap: StoredTap
  readonly base: string
  /** [I][B] */
  readonly byInput: () => Promise<readonly Uint32Array[]>
}

const LAYOUT_WORDS: Readonly<Record<ChannelLayout['kind'], string>> = {
  maps: 'Feature maps: [N, C, H, W], or with the channels last.',
  tokens: 'Features of tokens: [N, T, E].',
  heads: 'Attention weights: [N, heads, T, T].',
  features: '[N, K], and whatever else has channels behind its rows.',
  whole: 'No axis of a known extent: all values are one channel, and `channels` is null.',
}

/** Usual numbers of an answer that is large. */
const [CHANNELS, BINS, INPUTS, TAPS] = [512, 64, 100, 64]

function viewsOf(row: StatisticsRow, found: StoredStatistics | null, { parts }: Context): TapView[] {
  if (found === null) return []
  let counts: ReturnType<typeof readCounts> | null = null
  const readOnce = (): ReturnType<typeof readCounts> => (counts ??= readCounts(parts, row.id, found))
  return found.taps.map((tap, at) => ({
    tap,
    base: pictureOf(row),
    byInput: async () => (await readOnce())[at] ?? [],
  }))
}

function pictureOf({ id }: StatisticsRow): string {
  return `/api/statistics/${id}/colourful-dimension.png`
}

function addTap(builder: Builder) {
  const Layout = builder.enumType('ChannelLayout', {
    description: 'What the channels of a layer are.',
    values: Object.fromEntries(
      LAYOUTS.map((kind) => [kind.toUpperCase(), { value: kind, description: LAYOUT_WORDS[kind] }]),
    ) as Record<Uppercase<ChannelLayout['kind']>, { value: ChannelLayout['kind']; description: string }>,
  })
  const listOf = (of: (channels: ChannelStatistics) => readonly number[]) => ({
    extensions: answerSize({ assumedSize: CHANNELS }),
    resolve: (channels: ChannelStatistics) => [...of(channels)],
  })
  const ChannelsRef = builder.objectRef<ChannelStatistics>('ChannelStatistics').implement({
    description: 'The same numbers for each channel alone, over its places and all inputs: a number a channel.',
    fields: (t) => ({
      mean: t.floatList(listOf((channels) => channels.mean)),
      standardDeviation: t.floatList(listOf((channels) => channels.standardDeviation)),
      least: t.floatList(listOf((channels) => channels.least)),
      largest: t.floatList(listOf((channels) => channels.largest)),
      nearZero: t.floatList(listOf((channels) => channels.nearZero)),
      negative: t.floatList(listOf((channels) => channels.negative)),
      dead: t.booleanList({
        description: 'True where every value, at every place of every input, is near zero.',
        extensions: answerSize({ assumedSize: CHANNELS }),
        resolve: ({ dead }) => [...dead],
      }),
      contribution: t.floatList({
        nullable: true,
        description:
          'To the class score: the sum over the places of activation times gradient of the score, mean over the inputs. null where no gradient reaches the layer: `whyNoContribution` says why.',
        extensions: answerSize({ assumedSize: CHANNELS }),
        resolve: ({ contribution }) => (contribution === null ? null : [...contribution]),
      }),
    }),
  })
  const HistogramRef = builder.objectRef<StoredTap['histogram']>('ActivationHistogram').implement({
    description:
      'Bin i counts edges[i] <= v < edges[i + 1]. Edges are multiples of a power of two: zero is one of them.',
    fields: (t) => ({
      edges: t.floatList({
        description: 'One more than there are bins.',
        extensions: answerSize({ assumedSize: BINS }),
        resolve: ({ edges }) => [...edges],
      }),
      counts: t.floatList({ extensions: answerSize({ assumedSize: BINS }), resolve: ({ counts }) => [...counts] }),
    }),
  })
  return builder.objectRef<TapView>('TapStatistics').implement({
    description:
      'What one layer does, over all places of all inputs. Nothing is left out: of a text its special tokens count too.',
    fields: (t) => ({
      tap: t.id({ resolve: ({ tap }) => tap.id }),
      label: t.string({ resolve: ({ tap }) => tap.label }),
      layout: t.field({ type: Layout, resolve: ({ tap }) => tap.layout }),
      values: t.float({ description: 'How many.', resolve: ({ tap }) => tap.values }),
      mean: t.float({ resolve: ({ tap }) => tap.mean }),
      standardDeviation: t.float({
        description: "Divided by the number of values, as NumPy's std.",
        resolve: ({ tap }) => tap.standardDeviation,
      }),
      least: t.float({ resolve: ({ tap }) => tap.least }),
      largest: t.float({ resolve: ({ tap }) => tap.largest }),
      nearZero: t.float({
        description: 'Share of values with |a| below the bound `nearZero` of the question, 0..1.',
        resolve: ({ tap }) => tap.nearZero,
      }),
      negative: t.float({
        description: 'Share of values below 0, those near zero among them, 0..1.',
        resolve: ({ tap }) => tap.negative,
      }),
      deadChannels: t.int({
        description: 'How many channels are near zero everywhere.',
        resolve: ({ tap }) => tap.deadChannels,
      }),
      channels: t.field({ type: ChannelsRef, nullable: true, resolve: ({ tap }) => tap.channels }),
      whyNoContribution: t.string({ nullable: true, resolve: ({ tap }) => tap.whyNoContribution }),
      histogram: t.field({ type: HistogramRef, resolve: ({ tap }) => tap.histogram }),
      byInput: t.field({
        type: t.listRef(t.listRef('Int')),
        description: 'The counts of each input alone, in the bins of `histogram`.',
        extensions: answerSize({ assumedSize: INPUTS * BINS }),
        resolve: async ({ byInput }) => (await byInput()).map((counts) => Array.from(counts)),
      }),
      pictureUrl: t.string({
        description:
          'PNG, relative to this server: a row an input, a column a bin, coloured by log(1 + count). Query parameters: colormap, cell (1..32: pixels a side).',
        resolve: ({ tap, base }) => `${base}?rows=inputs&tap=${encodeURIComponent(tap.id)}`,
      }),
    }),
  })
}

function addObjects(builder: Builder, { RunStatus, RunError }: Types) {
  const TapRef = addTap(builder)
  const ScoreRef = builder.objectRef<StoredStatistics['scores'][number]>('StatisticsScore').implement({
    description: 'The number of one input that channels contribute to.',
    fields: (t) => ({
      index: t.exposeInt('index', { nullable: true, description: 'Of its class; null where it is about none.' }),
      label: t.exposeString('label', { nullable: true }),
      scalar: t.exposeFloat('scalar'),
    }),
  })
  return builder.objectRef<StatisticsRow>('ActivationStatistics').implement({
    description: 'What the layers of a model do over some inputs. The model is read, and stays what it is.',
    fields: (t) => ({
      id: t.exposeID('id'),
      status: t.field({ type: RunStatus, resolve: ({ status }) => status as 'QUEUED' }),
      progress: t.float({
        description: '0..1',
        resolve: ({ id, status }, _args, { runParts }) => {
          if (status === 'DONE') return 1
          return status === 'RUNNING' ? runParts.progress.load(id) : 0
        },
      }),
      error: t.field({ type: RunError, nullable: true, resolve: errorOf }),
      model: t.id({ resolve: ({ modelVersionId }) => idIn(modelVersionId) }),
      modelVersion: t.exposeID('modelVersionId', { description: '`<model>@<sha256>`: what was asked.' }),
      inputs: t.field({
        type: 'JSON',
        description: 'In the order asked: { kind: "image", asset } or { kind: "text", text } each.',
        resolve: ({ inputs }) => JSON.parse(inputs) as unknown,
      }),
      target: t.field({
        type: 'JSON',
        description: 'What channels contribute to, as a run stores it.',
        resolve: ({ target }) => JSON.parse(target) as unknown,
      }),
      nearZero: t.exposeFloat('nearZero', { description: 'A value is near zero where |a| is below it.' }),
      bins: t.exposeInt('bins', { description: 'Of a histogram, at most.' }),
      scores: t.field({
        type: [ScoreRef],
        description: 'Of each input, in their order; empty until done.',
        extensions: answerSize({ assumedSize: INPUTS }),
        resolve: (row) => [...(statisticsIn(row)?.scores ?? [])],
      }),
      taps: t.field({
        type: [TapRef],
        description: 'In network order; empty until done.',
        extensions: answerSize({ assumedSize: TAPS }),
        resolve: (row, _args, context) => viewsOf(row, statisticsIn(row), context),
      }),
      pictureUrl: t.string({
        description:
          'PNG, relative to this server, once they are done ("the colourful dimension"): a row a layer, a column a bin, coloured by log(1 + count). Query parameters: scale (own: each layer in its own bins, over the whole width; common: all in the same), colormap, cell (1..32: pixels a side).',
        resolve: (row) => `${pictureOf(row)}?rows=layers`,
      }),
      provenance: t.field({
        type: 'JSON',
        description: 'Versions of the libraries that made the numbers; {} until done.',
        resolve: ({ provenance }) => JSON.parse(provenance) as unknown,
      }),
      createdAt: t.field({ type: 'DateTime', resolve: ({ createdAt }) => createdAt }),
      finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ finishedAt }) => finishedAt }),
    }),
  })
}

function addCommands(builder: Builder, StatisticsRef: ReturnType<typeof addObjects>): void {
  builder.queryField('activationStatistics', (t) =>
    t.field({
      type: StatisticsRef,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => getStatistics(parts, id),
    }),
  )
  builder.mutationField('cancelActivationStatistics', (t) =>
    t.field({
      type: StatisticsRef,
      description: 'Stops statistics that have not ended; those that have stay as they are.',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => cancelStatistics(parts, id),
    }),
  )
  builder.mutationField('deleteActivationStatistics', (t) =>
    t.boolean({
      description: 'Deletes statistics, with the texts they were asked about. False: there are none.',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { parts }) => deleteStatistics(parts, id),
    }),
  )
  builder.subscriptionField('activationStatisticsUpdated', (t) =>
    t.field({
      type: StatisticsRef,
      description: 'The statistics now, and again whenever their status or progress changes, until they have ended.',
      args: { id: t.arg.id({ required: true }) },
      subscribe: async (_root, { id }, { parts }) => {
        await getStatistics(parts, id)
        return watchStatistics(parts, id)
      },
      resolve: (row) => row,
    }),
  )
}

export function addActivationStatistics(builder: Builder, types: Types): void {
  const StatisticsRef = addObjects(builder, types)
  const InputInput = builder.inputType('StatisticsInput', {
    isOneOf: true,
    description: 'Exactly one of the two.',
    fields: (t) => ({
      assetId: t.id({ description: 'What POST /api/images answered.' }),
      text: t.string(),
    }),
  })
  addCommands(builder, StatisticsRef)
  builder.mutationField('activationStatistics', (t) =>
    t.field({
      type: StatisticsRef,
      description:
        'Asks what the layers of a model do over some inputs. The same question answers the stored statistics. waitMs > 0: answer when they have ended or the time is up, whichever is first.',
      args: {
        model: t.arg.id({ required: true }),
        inputs: t.arg({
          type: [InputInput],
          required: true,
          description: `At most ${MOST_INPUTS}, one after the other.`,
        }),
        taps: t.arg.idList({
          required: false,
          description:
            "Ids of the model's taps, 1 to 64. Left out: every layer in network order, without reshapes between them; of more than 64 as many at even distances.",
        }),
        target: t.arg({
          type: types.TargetInput,
          required: false,
          description: "What channels contribute to. Left out: the logit of each input's predicted class.",
        }),
        nearZero: t.arg.float({
          required: false,
          description: 'A value is near zero where |a| is below; 0.001 when left out.',
        }),
        bins: t.arg.int({ required: false, description: 'Of a histogram at most, 8 to 256; 64 when left out.' }),
        waitMs: t.arg.int({ required: false, defaultValue: 0 }),
      },
      resolve: async (_root, { model, inputs, waitMs, taps, ...asked }, { parts }) => {
        const wait = checkWait(waitMs ?? 0)
        const question = {
          model,
          inputs: inputs.map(({ assetId = null, text = null }) => ({ assetId, text })),
          taps: taps?.map(String) ?? null,
          target: asked.target ?? null,
          nearZero: asked.nearZero ?? null,
          bins: asked.bins ?? null,
        }
        return waitForStatistics(parts, await createStatistics(parts, question), wait)
      },
    }),
  )
}
