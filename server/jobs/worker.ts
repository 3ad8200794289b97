/** A worker process: owns the loaded models, explains one input at a time. */
import { readFile } from 'node:fs/promises'
import { AppError } from '../../lib/errors.ts'
import { explain } from '../../lib/explain.ts'
import { METHODS, methodFor } from '../../lib/methods/index.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { ExplainInput } from '../../lib/prepare.ts'
import { libraryVersions } from './libraries.ts'
import { ModelCache } from './model-cache.ts'
import type { ExplainJob, ExplainOutcome, JobInput, ModelDescription } from './protocol.ts'
import { serve, type JobHooks } from './serve.ts'

const MODELS_KEPT = 3
const models = new ModelCache(MODELS_KEPT)

function describe(entry: CatalogueEntry): Promise<ModelDescription> {
  return models.use(entry, ({ model, facts }) => Promise.resolve({ engine: model.engine, facts }))
}

async function readInput(input: JobInput): Promise<ExplainInput> {
  if (input.kind === 'text') return input
  const { decodeImage } = await import('../../lib/image/decode.ts')
  return { kind: 'image', image: await decodeImage(await readFile(input.path)) }
}

async function run(job: ExplainJob, { signal, progress }: JobHooks): Promise<ExplainOutcome> {
  const method = methodFor(METHODS, job.model.card.preprocessing.kind, job.methodId)
  if (method === null) throw new AppError({ code: 'UNKNOWN_METHOD', message: `There is no method ${job.methodId}.` })
  return models.use(job.model, async (loaded, loadMs) => {
    const explanation = await explain(
      loaded,
      await readInput(job.input),
      { method, params: job.params, target: job.target, seed: job.seed },
      { signal, progress, now: () => performance.now() },
    )
    return { explanation, loadMs, engine: loaded.model.engine, libraries: libraryVersions(job.model) }
  })
}

serve({ describe, explain: run })
