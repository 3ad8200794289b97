/** Descriptions of models, asked of a worker once for each version of each model. */
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { Logger } from '../logger.ts'
import type { ModelDescription } from './protocol.ts'

export type Describe = (model: CatalogueEntry) => Promise<ModelDescription>

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
    const key = `${model.id}@${model.sha256}`
    const found = known.get(key)
    if (found !== undefined) return found
    const asked = describe(model)
    known.set(key, asked)
    asked.catch(() => known.delete(key))
    return asked
  }
}
