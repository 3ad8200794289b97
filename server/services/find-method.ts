import { AppError } from '../../lib/errors.ts'
import { methodFor } from '../../lib/methods/find.ts'
import type { Method } from '../../lib/methods/method.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import { didYouMean, listed, quoted } from '../../lib/suggest.ts'
import type { Parts } from '../parts.ts'

/** @throws AppError UNKNOWN_METHOD, WRONG_MODALITY for a method of the other modality; with the methods for this model */
export function findMethod(parts: Pick<Parts, 'methods'>, id: string, model: CatalogueEntry): Method {
  const modality = model.card.preprocessing.kind
  const found = methodFor(parts.methods, modality, id)
  if (found !== null) return found
  const ids = parts.methods.filter((method) => method.modality === modality).map((method) => method.id)
  const [other] = parts.methods.filter((method) => method.id === id)
  if (other !== undefined)
    throw new AppError({
      code: 'WRONG_MODALITY',
      message: `${other.title} (${other.id}) explains ${other.modality} models, and ${model.id} reads ${modality === 'image' ? 'a picture' : 'text'}. Choose a method for ${modality} models.`,
      details: { model: model.id, modelReads: modality, method: other.id, methodExplains: other.modality },
    })
  throw new AppError({
    code: 'UNKNOWN_METHOD',
    message: `There is no method ${quoted(id)}.${didYouMean(id, ids)} For ${modality} models there are ${listed(ids)}.`,
    details: { method: id, methods: ids },
  })
}
