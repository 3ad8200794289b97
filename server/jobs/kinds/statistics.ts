/** What layers do over many inputs: the job behind activation statistics. Its rows are in services/statistics-store.ts. */
import { z } from 'zod'
import type { ActivationStatistics, NamedScore, NamedTap } from '../../../lib/activation-statistics.ts'
import { idIn, modelRef, sha256 } from '../../../lib/models/model-ref.ts'
import type { ChannelStatistics } from '../../../lib/statistics/channels.ts'
import { LAYOUTS } from '../../../lib/statistics/layout.ts'
import type { TapStatistics } from '../../../lib/statistics/tap-statistics.ts'
import { target } from '../../../lib/target/target.ts'
import { jobKind } from '../kind.ts'
import { anyNumber, fieldsOf } from './shared-schemas.ts'

/** In the order in which they are counted. */
export const statisticsInputs = z
  .array(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('image'), asset: sha256 }),
      z.strictObject({ kind: z.literal('text'), text: z.string() }),
    ]),
  )
  .min(1)

const payload = z.strictObject({
  model: modelRef,
  inputs: statisticsInputs,
  /** In network order. */
  taps: z.array(z.string()).min(1),
  target,
  nearZero: z.number().positive(),
  bins: z.int().min(2),
})
export type StatisticsPayload = z.infer<typeof payload>

export interface StatisticsOutcome {
  readonly statistics: ActivationStatistics
  /** Versions of the libraries that made the numbers. */
  readonly libraries: Readonly<Record<string, string>>
}

const numbers = z.array(z.number())
const tap = fieldsOf<NamedTap>({
  id: z.string(),
  label: z.string(),
  whyNoContribution: z.string().nullable(),
  layout: z.enum(LAYOUTS),
  values: z.number(),
  mean: z.number(),
  standardDeviation: z.number(),
  least: z.number(),
  largest: z.number(),
  nearZero: z.number(),
  negative: z.number(),
  deadChannels: z.int(),
  channels: fieldsOf<ChannelStatistics>({
    mean: numbers,
    standardDeviation: numbers,
    least: numbers,
    largest: numbers,
    nearZero: numbers,
    negative: numbers,
    dead: z.array(z.boolean()),
    contribution: numbers.nullable(),
  }).nullable(),
  histogram: fieldsOf<TapStatistics['histogram']>({ edges: numbers, counts: numbers }),
  byInput: z.instanceof(Uint32Array),
})
const outcome = fieldsOf<StatisticsOutcome>({
  statistics: fieldsOf<ActivationStatistics>({
    taps: z.array(tap),
    scores: z.array(
      fieldsOf<NamedScore>({ index: z.int().nullable(), label: z.string().nullable(), scalar: anyNumber }),
    ),
  }),
  libraries: z.record(z.string(), z.string()),
})

export const statisticsKind = jobKind<StatisticsPayload, StatisticsOutcome>({
  id: 'statistics',
  noun: 'set of statistics',
  payload,
  outcome,
  uses: ({ model, inputs: [first] }) => (first?.kind === 'image' ? [model, first.asset] : [model]),
  about: ({ model }) => ({ model: idIn(model) }),
  async handle({ model, inputs, ...asked }, { models, pictures }, { signal, progress }) {
    const [{ activationStatistics }, { libraryVersions }] = await Promise.all([
      import('../../../lib/activation-statistics.ts'),
      import('../libraries.ts'),
    ])
    return models.use(model, async (loaded) => {
      const opened = inputs.map(
        (input) => async () =>
          input.kind === 'text' ? input : { kind: 'image' as const, image: await pictures.decoded(input.asset) },
      )
      const statistics = await activationStatistics(loaded, opened, { ...asked, signal, progress })
      return { statistics, libraries: libraryVersions(loaded.entry) }
    })
  },
})
