/** The history, newest first, in pages that stay put while new runs arrive (keyset pagination). */
import { AppError } from '../../lib/errors.ts'
import type { Prisma, Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'

type ListParts = Pick<Parts, 'prisma' | 'dialect'>

export interface RunFilter {
  readonly model?: string | null | undefined
  readonly method?: string | null | undefined
  readonly status?: string | null | undefined
  readonly modality?: string | null | undefined
  /** Part of the text, of the input's name, of a note, or of a model's or method's id. */
  readonly search?: string | null | undefined
}

export interface RunRange {
  /** The cursor of the run before the first; null: from the newest on. */
  readonly after: string | null
  /** How many at most. */
  readonly limit: number
}

export const DEFAULT_PAGE = 20
export const LARGEST_PAGE = 100

/** How many runs a page is to have. @throws AppError BAD_INPUT outside 1 to 100 */
export function checkedPageSize(first: number | null): number {
  const size = first ?? DEFAULT_PAGE
  if (size >= 1 && size <= LARGEST_PAGE) return size
  throw new AppError({ code: 'BAD_INPUT', message: `first is ${size}; a page has 1 to ${LARGEST_PAGE} runs.` })
}

/** Opaque to clients: where the next page goes on. */
export function cursorOf(run: Pick<Run, 'createdAt' | 'id'>): string {
  return Buffer.from(`${run.createdAt.toISOString()} ${run.id}`).toString('base64url')
}

function readCursor(cursor: string): { createdAt: Date; id: string } {
  const [time = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ')
  const createdAt = new Date(time)
  if (id !== '' && !Number.isNaN(createdAt.getTime())) return { createdAt, id }
  throw new AppError({
    code: 'BAD_INPUT',
    message: `after is not a cursor of this list. Use pageInfo.endCursor of the page before, unchanged.`,
  })
}

async function where({ prisma, dialect }: ListParts, filter: RunFilter): Promise<Prisma.RunWhereInput> {
  const words = filter.search?.trim() ?? ''
  return {
    ...(filter.model == null ? {} : { modelId: filter.model }),
    ...(filter.method == null ? {} : { methodId: filter.method }),
    ...(filter.status == null ? {} : { status: filter.status }),
    ...(filter.modality == null ? {} : { modality: filter.modality }),
    ...(words === '' ? {} : await dialect.runsWith(prisma, words)),
  }
}

/** @throws AppError BAD_INPUT for a foreign cursor */
export async function listRuns(parts: ListParts, filter: RunFilter, { after, limit }: RunRange): Promise<Run[]> {
  const place = after === null ? null : readCursor(after)
  const older: Prisma.RunWhereInput =
    place === null
      ? {}
      : { OR: [{ createdAt: { lt: place.createdAt } }, { createdAt: place.createdAt, id: { lt: place.id } }] }
  return parts.prisma.run.findMany({
    where: { AND: [await where(parts, filter), older] },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
  })
}

export async function countRuns(parts: ListParts, filter: RunFilter): Promise<number> {
  return parts.prisma.run.count({ where: await where(parts, filter) })
}
