/** Looking at a model: what it can be asked. Has no rows; `describe.ts` above remembers the answers. */
import { z } from 'zod'
import type { EngineInfo, Tap, TapId } from '../../../lib/engine/model.ts'
import type { LoadedModel } from '../../../lib/models/load.ts'
import { idIn, modelRef } from '../../../lib/models/model-ref.ts'
import { jobKind } from '../kind.ts'
import { engineInfo, wordOf } from './shared-schemas.ts'

const payload = z.strictObject({ model: modelRef })
export type DescribePayload = z.infer<typeof payload>

/** What a loaded model can be asked; plain data. */
export interface ModelDescription {
  readonly engine: EngineInfo
  readonly taps: readonly Tap[]
  readonly defaultTap: TapId
  /** The taps behind which the logits are exactly linear(globalAveragePool(tap)). */
  readonly linearHeads: readonly TapId[]
  /** Method id -> why it cannot run on this model; methods that can are not in it. */
  readonly unavailable: Readonly<Record<string, string>>
}

const tap: z.ZodType<Tap> = z.strictObject({
  id: z.string(),
  label: z.string(),
  kind: wordOf<Tap['kind']>(),
  operator: z.string(),
  shape: z.array(z.number().nullable()),
  spatial: z.boolean(),
  differentiable: z.boolean(),
  reason: z.string().exactOptional(),
})
const outcome: z.ZodType<ModelDescription> = z.strictObject({
  engine: engineInfo,
  taps: z.array(tap),
  defaultTap: z.string(),
  linearHeads: z.array(z.string()),
  unavailable: z.record(z.string(), z.string()),
})

async function linearHeads({ model }: LoadedModel): Promise<string[]> {
  const spatial = model.taps.filter((one) => one.spatial)
  const heads = await Promise.all(spatial.map((one) => model.linearHead(one.id)))
  return spatial.filter((_, index) => heads[index] !== null).map((one) => one.id)
}

async function unavailable({ model, entry }: LoadedModel): Promise<Record<string, string>> {
  const [{ METHODS }, { whyUnavailable }, { modalityOf }] = await Promise.all([
    import('../../../lib/methods/index.ts'),
    import('../../../lib/methods/availability.ts'),
    import('../../../lib/explain.ts'),
  ])
  const reasons: Record<string, string> = {}
  for (const method of METHODS) {
    const reason = await whyUnavailable(method, model, modalityOf(entry.card))
    if (reason !== null) reasons[method.id] = reason
  }
  return reasons
}

export const describeKind = jobKind<DescribePayload, ModelDescription>({
  id: 'describe',
  noun: 'description of a model',
  payload,
  outcome,
  // Nobody waits for a description behind a run of minutes.
  exclusive: false,
  // A model in native code cannot be interrupted, and says nothing while it loads.
  silentMs: 180_000,
  uses: ({ model }) => [model],
  about: ({ model }) => ({ model: idIn(model) }),
  gaveUp: ({ model }, limitMs) => ({
    message: `${model} was not loaded`,
    userMessage: `The model ${idIn(model)} could not be loaded within ${limitMs / 1000} seconds, so it was given up. Is it much larger than this computer's memory, or does it compute for ever?`,
  }),
  handle: ({ model: ref }, { models }) =>
    models.use(ref, async (loaded) => {
      const { engine, taps, defaultTap } = loaded.model
      return {
        engine,
        taps,
        defaultTap,
        linearHeads: await linearHeads(loaded),
        unavailable: await unavailable(loaded),
      }
    }),
})
