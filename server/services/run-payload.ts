/** What a worker is asked for a run, out of its row. */
import { AppError } from '../../lib/errors.ts'
import { storedMaps } from '../../lib/methods/maps-asked.ts'
import { storedTarget } from '../../lib/target/target.ts'
import type { Run } from '../../prisma/generated/client.ts'
import type { ExplainPayload } from '../jobs/kinds/explain.ts'

function inputOf(run: Run): ExplainPayload['input'] {
  if (run.assetId !== null) return { kind: 'image', asset: run.assetId }
  if (run.text !== null) return { kind: 'text', text: run.text }
  throw new AppError({ code: 'INTERNAL', message: `run ${run.id} has neither picture nor text` })
}

export function payloadOf(run: Run): ExplainPayload {
  return {
    model: run.modelVersionId,
    method: { id: run.methodId, version: run.methodVersion },
    params: JSON.parse(run.params) as unknown,
    target: storedTarget(run),
    ...(run.maps === null ? {} : { maps: storedMaps(run.maps) }),
    ...(run.together ? { together: true } : {}),
    seed: run.seed,
    input: inputOf(run),
  }
}
