/** A worker process: owns the loaded models, explains one input at a time. */
import { readFile } from 'node:fs/promises'
import { AppError } from '../../lib/errors.ts'
import { explain, modalityOf, type ExplainInput } from '../../lib/explain.ts'
import { whyUnavailable } from '../../lib/methods/availability.ts'
import { METHODS } from '../../lib/methods/index.ts'
import type { Method } from '../../lib/methods/method.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { LoadedModel } from '../../lib/models/load.ts'
import { libraryVersions } from './libraries.ts'
import { ModelCache } from './model-cache.ts'
import type { ExplainJob, ExplainOutcome, JobInput, ModelDescription } from './protocol.ts'
import { serve, type JobHooks } from './serve.ts'

const MODELS_KEPT = 3
const models = new ModelCache(MODELS_KEPT)

async function linearHeads({ model }: LoadedModel): Promise<string[]> {
  const spatial = model.taps.filter((tap) => tap.spatial)
  const heads = await Promise.all(spatial.map((tap) => model.linearHead(tap.id)))
  return spatial.filter((_, index) => heads[index] !== null).map((tap) => tap.id)
}

async function unavailable({ model, entry }: LoadedModel, methods: readonly Method[]): Promise<Record<string, string>> {
  const reasons: Record<string, string> = {}
  for (const method of methods) {
    const reason = await whyUnavailable(method, model, modalityOf(entry.card))
    if (reason !== null) reasons[method.id] = reason
  }
  return reasons
}

function describe(entry: CatalogueEntry): Promise<ModelDescription> {
  return models.use(entry, async (loaded) => {
    const { engine, taps, defaultTap } = loaded.model
    return {
      engine,
      taps,
      defaultTap,
      linearHeads: await linearHeads(loaded),
      unavailable: await unavailable(loaded, METHODS),
    }
  })
}

async function readInput(input: JobInput): Promise<ExplainInput> {
  if (input.kind === 'text') return input
  const { decodeImage } = await import('../../lib/image/decode.ts')
  return { kind: 'image', image: await decodeImage(await readFile(input.path)) }
}

async function run(job: ExplainJob, { signal, progress }: JobHooks): Promise<ExplainOutcome> {
  const method = METHODS.find((one) => one.id === job.methodId)
  if (method === undefined)
    throw new AppError({ code: 'UNKNOWN_METHOD', message: `There is no method ${job.methodId}.` })
  const target = job.targetIndex === null ? null : { index: job.targetIndex }
  return models.use(job.model, async (loaded, loadMs) => {
    const explanation = await explain(
      loaded,
      await readInput(job.input),
      { method, params: job.params, target, seed: job.seed },
      { signal, progress, now: () => performance.now() },
    )
    return { explanation, loadMs, engine: loaded.model.engine, libraries: libraryVersions(job.model) }
  })
}

serve({ describe, explain: run })
