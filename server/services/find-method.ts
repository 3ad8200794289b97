import { AppError } from '../../lib/errors.ts'
import type { Method, Modality } from '../../lib/methods/method.ts'
import type { Parts } from '../parts.ts'
import { didYouMean, listed, quoted } from '../../lib/suggest.ts'

/** @throws AppError UNKNOWN_METHOD, with the methods that explain this modality */
export function findMethod(parts: Pick<Parts, 'methods'>, id: string, modality: Modality): Method {
  const found = parts.methods.find((method) => method.id === id)
  if (found !== undefined) return found
  const ids = parts.methods.filter((method) => method.modality === modality).map((method) => method.id)
  const all = parts.methods.map((method) => method.id)
  throw new AppError({
    code: 'UNKNOWN_METHOD',
    message: `There is no method ${quoted(id)}.${didYouMean(id, all)} For ${modality} models there are ${listed(ids)}.`,
    details: { method: id, methods: ids },
  })
}
