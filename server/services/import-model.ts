/** Asks for a model by its name on the hub. */
import { AppError } from '../../lib/errors.ts'
import { hasEnded, type ModelImport } from '../imports.ts'
import type { Parts } from '../parts.ts'
import { watchStates } from './watch-states.ts'

export interface ImportRequest {
  readonly name: string
  readonly revision: string | null
  readonly file: string | null
}

/** @throws AppError BAD_INPUT for what cannot name a model; everything later is in the import itself */
export async function importModel({ imports }: Pick<Parts, 'imports'>, request: ImportRequest): Promise<ModelImport> {
  const { hubModel, isInnerPath, parseHubModel } = await import('../../lib/hub/names.ts')
  const { name, revision, file } = request
  const model = revision === null ? parseHubModel(name.trim()) : hubModel(name.trim(), revision.trim())
  if (file !== null && !isInnerPath(file))
    throw new AppError({ code: 'BAD_INPUT', message: `"${file}" is not the path of a file in a repository.` })
  return imports.start({ kind: 'hub', model, file })
}

/** @throws AppError NOT_FOUND */
export function getImport({ imports }: Pick<Parts, 'imports'>, id: string): ModelImport {
  const found = imports.find(id)
  if (found !== null) return found
  throw new AppError({
    code: 'NOT_FOUND',
    message: `There is no import ${id}: imports are remembered until the server stops.`,
  })
}

/** The import now, and again whenever something of it changes, until it has ended. @throws AppError NOT_FOUND */
export function watchImport(parts: Pick<Parts, 'imports' | 'news'>, id: string): AsyncIterableIterator<ModelImport> {
  return watchStates(parts.news, id, {
    first: () => getImport(parts, id),
    next: () => parts.imports.find(id),
    hasEnded,
  })
}
