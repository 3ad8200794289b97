/** Descriptions of models, asked of a worker once for each version of each model. */
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { refOf } from '../../lib/models/model-ref.ts'
import type { Logger } from '../logger.ts'
import { describeKind, type ModelDescription } from './kinds/describe.ts'
import type { WorkerPool } from './worker-pool.ts'

export type Describe = (model: CatalogueEntry) => Promise<ModelDescription>

/** Asks the workers. */
export function describedBy(pool: Pick<WorkerPool, 'run'>): Describe {
  return (model) => {
    const ref = refOf(model)
    const hooks = { signal: new AbortController().signal, progress: () => undefined }
    return pool.run(describeKind, { id: `describe ${ref}`, payload: { model: ref } }, hooks)
  }
}

const ENGINES = { onnx: 'ONNX Runtime', tfjs: 'TensorFlow.js' } as const

/** Says once, when a model first needs it, what each engine computes on; loudly where a faster backend did not work. */
export function announced(describe: Describe, log: Logger): Describe {
  const said = new Set<string>()
  return async (model) => {
    const description = await describe(model)
    const { name, backend, reason } = description.engine
    if (!said.has(name)) {
      said.add(name)
      const line = `${ENGINES[name]} computes on ${backend}${reason === '' ? '' : ` (${reason})`}`
      if (name === 'tfjs' && reason !== '') log.warn(line)
      else log.info(line)
    }
    return description
  }
}

/** Remembers successes; a failure is tried again. */
export function remembered(describe: Describe): Describe {
  const known = new Map<string, Promise<ModelDescription>>()
  return (model) => {
    const ref = refOf(model)
    const found = known.get(ref)
    if (found !== undefined) return found
    const asked = describe(model)
    known.set(ref, asked)
    asked.catch(() => known.delete(ref))
    return asked
  }
}
