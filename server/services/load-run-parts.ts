/** What belongs to runs, fetched for all runs of a request at once (no query per run in a list). */
import DataLoader from 'dataloader'
import type {
  Annotation,
  Asset,
  Evaluation,
  ModelVersion,
  Result,
  RunMap,
  ShareLink,
} from '../../prisma/generated/client.ts'
import type { Parts } from '../parts.ts'

export type ResultFacts = Omit<Result, 'attribution'>

export interface RunParts {
  readonly result: DataLoader<string, ResultFacts | null>
  readonly attribution: DataLoader<string, Uint8Array | null>
  /** Those behind the first, in order. */
  readonly furtherMaps: DataLoader<string, readonly RunMap[]>
  readonly asset: DataLoader<string, Asset | null>
  readonly modelVersion: DataLoader<string, ModelVersion | null>
  readonly annotations: DataLoader<string, readonly Annotation[]>
  readonly shareLinks: DataLoader<string, readonly ShareLink[]>
  readonly evaluations: DataLoader<string, readonly Evaluation[]>
  /** Share done of a run or an evaluation that is being computed, 0..1. */
  readonly progress: DataLoader<string, number>
}

/** One row for each key, in the keys' order. */
function one<Row, Value>(
  find: (keys: string[]) => Promise<Row[]>,
  keyOf: (row: Row) => string,
  valueOf: (row: Row) => Value,
): DataLoader<string, Value | null> {
  return new DataLoader(
    async (keys) => {
      const rows = new Map((await find([...new Set(keys)])).map((row) => [keyOf(row), valueOf(row)]))
      return keys.map((key) => rows.get(key) ?? null)
    },
    // A subscription keeps its context for as long as it lives: what was not there may be there next time.
    { cache: false },
  )
}

/** All rows of each key, in the keys' order. */
function many<Row>(find: (keys: string[]) => Promise<Row[]>, keyOf: (row: Row) => string): DataLoader<string, Row[]> {
  return new DataLoader(
    async (keys) => {
      const rows = new Map<string, Row[]>()
      for (const row of await find([...new Set(keys)])) rows.set(keyOf(row), [...(rows.get(keyOf(row)) ?? []), row])
      return keys.map((key) => rows.get(key) ?? [])
    },
    { cache: false },
  )
}

export function loadRunParts({ prisma, news }: Pick<Parts, 'prisma' | 'news'>): RunParts {
  const same = <T>(row: T): T => row
  const oldestFirst = [{ createdAt: 'asc' as const }, { id: 'asc' as const }]
  return {
    result: one(
      (ids) => prisma.result.findMany({ where: { runId: { in: ids } }, omit: { attribution: true } }),
      (row) => row.runId,
      same,
    ),
    attribution: one(
      (ids) => prisma.result.findMany({ where: { runId: { in: ids } }, select: { runId: true, attribution: true } }),
      (row) => row.runId,
      (row) => row.attribution,
    ),
    furtherMaps: many(
      (ids) => prisma.runMap.findMany({ where: { runId: { in: ids } }, orderBy: { position: 'asc' } }),
      (row) => row.runId,
    ),
    asset: one(
      (ids) => prisma.asset.findMany({ where: { id: { in: ids } } }),
      (row) => row.id,
      same,
    ),
    modelVersion: one(
      (ids) => prisma.modelVersion.findMany({ where: { id: { in: ids } } }),
      (row) => row.id,
      same,
    ),
    annotations: many(
      (ids) => prisma.annotation.findMany({ where: { runId: { in: ids } }, orderBy: oldestFirst }),
      (row) => row.runId,
    ),
    shareLinks: many(
      (ids) => prisma.shareLink.findMany({ where: { runId: { in: ids } }, orderBy: oldestFirst }),
      (row) => row.runId,
    ),
    evaluations: many(
      (ids) => prisma.evaluation.findMany({ where: { runId: { in: ids } }, orderBy: oldestFirst }),
      (row) => row.runId,
    ),
    progress: new DataLoader(
      async (ids) => {
        const known = await news.progress(ids)
        return ids.map((id) => known.get(id) ?? 0)
      },
      { cache: false },
    ),
  }
}
