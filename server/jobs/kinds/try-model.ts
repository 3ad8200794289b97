/** Trying a model that has just been imported: one forward, one gradient. Has no rows; services/import-model.ts tells it. */
import { z } from 'zod'
import { idIn, modelRef } from '../../../lib/models/model-ref.ts'
import type { ModelTrial } from '../../../lib/try-model.ts'
import { jobKind } from '../kind.ts'
import { fieldsOf } from './shared-schemas.ts'

const payload = z.strictObject({ model: modelRef })
export type TryModelPayload = z.infer<typeof payload>

const outcome = fieldsOf<ModelTrial>({
  problems: z.array(z.string()),
  inputs: z.array(z.string()),
  classes: z.int(),
  tried: z.string().nullable(),
})

export const tryModelKind = jobKind<TryModelPayload, ModelTrial>({
  id: 'try-model',
  noun: 'first try of a model',
  payload,
  outcome,
  uses: ({ model }) => [model],
  about: ({ model }) => ({ model: idIn(model) }),
  async handle({ model }, { models }, { signal, progress }) {
    const [{ tryModel }, { METHODS }] = await Promise.all([
      import('../../../lib/try-model.ts'),
      import('../../../lib/methods/index.ts'),
    ])
    return models.use(model, (loaded) => tryModel(loaded, METHODS, { signal, progress, now: () => performance.now() }))
  },
})
