import { AppError } from '../../lib/errors.ts'
import { methodFor } from '../../lib/methods/find.ts'
import type { Metric } from '../../lib/metrics/metric.ts'
import type { Modality } from '../../lib/models/card.ts'
import { didYouMean, listed, quoted } from '../../lib/suggest.ts'
import type { Parts } from '../parts.ts'

/** @throws AppError UNKNOWN_METHOD, WRONG_MODALITY for a metric of the other modality; with the metrics there are */
export function findMetric(parts: Pick<Parts, 'metrics'>, id: string, modality: Modality): Metric {
  const found = methodFor(parts.metrics, modality, id)
  if (found !== null) return found
  const ids = parts.metrics.filter((metric) => metric.modality === modality).map((metric) => metric.id)
  const other = parts.metrics.find((metric) => metric.id === id)
  if (other !== undefined)
    throw new AppError({
      code: 'WRONG_MODALITY',
      message: `${other.title} (${other.id}) judges explanations of ${other.modality === 'image' ? 'pictures' : 'texts'}, and this run explains ${modality === 'image' ? 'a picture' : 'a text'}. For it there are ${listed(ids)}.`,
      details: { metric: other.id, metricJudges: other.modality, runExplains: modality },
    })
  throw new AppError({
    code: 'UNKNOWN_METHOD',
    message: `There is no metric ${quoted(id)}.${didYouMean(id, ids)} For ${modality} explanations there are ${listed(ids)}.`,
    details: { metric: id, metrics: ids },
  })
}
