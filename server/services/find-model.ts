import { AppError } from '../../lib/errors.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { Parts } from '../parts.ts'
import { didYouMean, listed, quoted } from '../../lib/suggest.ts'

/** @throws AppError UNKNOWN_MODEL, with the models there are */
export async function findModel(parts: Pick<Parts, 'catalogue'>, id: string): Promise<CatalogueEntry> {
  const entries = await parts.catalogue.list()
  const found = entries.find((entry) => entry.id === id)
  if (found !== undefined) return found
  const ids = entries.map((entry) => entry.id)
  throw new AppError({
    code: 'UNKNOWN_MODEL',
    message: `There is no model ${quoted(id)}.${didYouMean(id, ids)} The models are ${listed(ids)}.`,
    details: { model: id, models: ids },
  })
}
