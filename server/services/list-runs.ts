/** The history, newest first, in pages that stay put while new runs arrive (keyset pagination). */
import { AppError } from '../../lib/errors.ts'
import type { Prisma, Run } from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'

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

/** Characters that `contains` passes on to LIKE, where they stand for others. */
const WILDCARDS = /[%_]/

/** Ids of the runs in which the words stand as they are, percent signs and underscores too. */
async function idsWith(parts: Pick<Parts, 'prisma'>, search: string): Promise<string[]> {
  const like = `%${search.replaceAll(/[!%_]/g, '!$&')}%`
  const rows = await parts.prisma.$queryRaw<{ id: string }[]>`
    SELECT "id" FROM "Run" WHERE "text" LIKE ${like} ESCAPE '!' OR "name" LIKE ${like} ESCAPE '!'
      OR "modelId" LIKE ${like} ESCAPE '!' OR "methodId" LIKE ${like} ESCAPE '!'
      OR "id" IN (SELECT "runId" FROM "Annotation" WHERE "note" LIKE ${like} ESCAPE '!')`
  return rows.map(({ id }) => id)
}

async function found(parts: Pick<Parts, 'prisma'>, search: string): Promise<Prisma.RunWhereInput> {
  if (search === '') return {}
  if (WILDCARDS.test(search)) return { id: { in: await idsWith(parts, search) } }
  return {
    OR: [
      { text: { contains: search } },
      { name: { contains: search } },
      { modelId: { contains: search } },
      { methodId: { contains: search } },
      { annotations: { some: { note: { contains: search } } } },
    ],
  }
}

async function where(parts: Pick<Parts, 'prisma'>, filter: RunFilter): Promise<Prisma.RunWhereInput> {
  return {
    ...(filter.model == null ? {} : { modelId: filter.model }),
    ...(filter.method == null ? {} : { methodId: filter.method }),
    ...(filter.status == null ? {} : { status: filter.status }),
    ...(filter.modality == null ? {} : { modality: filter.modality }),
    ...(await found(parts, filter.search?.trim() ?? '')),
  }
}

/** @throws AppError BAD_INPUT for a foreign cursor */
export async function listRuns(
  parts: Pick<Parts, 'prisma'>,
  filter: RunFilter,
  { after, limit }: RunRange,
): Promise<Run[]> {
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

export async function countRuns(parts: Pick<Parts, 'prisma'>, filter: RunFilter): Promise<number> {
  return parts.prisma.run.count({ where: await where(parts, filter) })
}
