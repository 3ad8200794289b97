/** Looking at a model: what it can be asked. Has no rows; `describe.ts` above remembers the answers. */
import { z } from 'zod'
import { LINKS } from '../../../lib/engine/head.ts'
import type { EngineInfo, Tap, TokenGrid } from '../../../lib/engine/model.ts'
import type { Refusal } from '../../../lib/engine/refusal.ts'
import type { ModelFacts } from '../../../lib/models/facts.ts'
import { idIn, modelRef } from '../../../lib/models/model-ref.ts'
import { jobKind } from '../kind.ts'
import { engineInfo, fieldsOf, wordOf } from './shared-schemas.ts'

const payload = z.strictObject({ model: modelRef })
export type DescribePayload = z.infer<typeof payload>

/** What a loaded model can be asked; plain data. */
export interface ModelDescription {
  readonly engine: EngineInfo
  readonly facts: ModelFacts
  /** Sentences for the Models page. */
  readonly notes: readonly string[]
}

const tap = fieldsOf<Tap>({
  id: z.string(),
  label: z.string(),
  kind: wordOf<Tap['kind']>(),
  operator: z.string(),
  shape: z.array(z.number().nullable()),
  spatial: z.boolean(),
  grid: fieldsOf<TokenGrid>({ rows: z.int(), columns: z.int(), leading: z.int() }).exactOptional(),
  mapOf: z.string().exactOptional(),
  looksAt: z.enum(['self', 'cross', 'local']).exactOptional(),
  note: z.string().exactOptional(),
  differentiable: z.boolean(),
  reason: z.string().exactOptional(),
})
const facts = fieldsOf<ModelFacts>({
  title: z.string(),
  modality: z.enum(['image', 'text']),
  taps: z.array(tap),
  defaultTap: z.string(),
  link: z.enum(LINKS),
  linearHeads: z.array(z.string()),
  ruleSets: z.array(z.string()),
  refusals: z.array(
    fieldsOf<Refusal>({ rules: z.string(), taps: z.array(z.string()), operators: z.array(z.string()) }),
  ),
})
const outcome = fieldsOf<ModelDescription>({ engine: engineInfo, facts, notes: z.array(z.string()) })

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
      const { notesOn } = await import('../../../lib/note-model.ts')
      return { engine: loaded.model.engine, facts: loaded.facts, notes: await notesOn(loaded) }
    }),
})
