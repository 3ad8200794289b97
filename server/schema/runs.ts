import type { Run } from '../../prisma/generated/client.ts'
import { findRun } from '../services/get-run.ts'
import { findSharedRun } from '../services/find-shared-run.ts'
import { countRuns, cursorOf, listRuns, type RunPage } from '../services/list-runs.ts'
import type { Builder } from './builder.ts'
import type { Enums } from './enums.ts'
import type { RunTypes } from './run.ts'
import { ownView } from './run-view.ts'

function addConnection(builder: Builder, { RunRef }: RunTypes) {
  const PageInfo = builder.objectRef<RunPage>('PageInfo').implement({
    description: 'Where a page begins and ends.',
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage'),
      hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
      startCursor: t.string({ nullable: true, resolve: ({ runs }) => runs.slice(0, 1).map(cursorOf)[0] ?? null }),
      endCursor: t.string({
        nullable: true,
        description: 'Give it as `after` to get the next page.',
        resolve: ({ runs }) => runs.slice(-1).map(cursorOf)[0] ?? null,
      }),
    }),
  })
  const RunEdge = builder.objectRef<Run>('RunEdge').implement({
    fields: (t) => ({
      cursor: t.string({ resolve: (run) => cursorOf(run) }),
      node: t.field({ type: RunRef, resolve: (run) => ownView(run) }),
    }),
  })
  return builder.objectRef<RunPage>('RunConnection').implement({
    description: 'A page of the history.',
    fields: (t) => ({
      edges: t.field({ type: [RunEdge], resolve: ({ runs }) => [...runs] }),
      pageInfo: t.field({ type: PageInfo, resolve: (page) => page }),
      totalCount: t.int({
        description: 'Of all pages.',
        resolve: ({ filter }, _args, { parts }) => countRuns(parts, filter),
      }),
    }),
  })
}

export function addRuns(builder: Builder, { Modality, RunStatus }: Enums, types: RunTypes): void {
  const { RunRef } = types
  const RunConnection = addConnection(builder, types)

  builder.queryField('run', (t) =>
    t.field({
      type: RunRef,
      nullable: true,
      description: 'One run; null when there is none of this id.',
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, { parts }) => {
        const run = await findRun(parts, id)
        return run === null ? null : ownView(run)
      },
    }),
  )
  builder.queryField('runs', (t) =>
    t.field({
      type: RunConnection,
      description: 'The history, newest first.',
      args: {
        first: t.arg.int({ required: false, description: '1 to 100; 20 when left out.' }),
        after: t.arg.string({ required: false }),
        model: t.arg.id({ required: false }),
        method: t.arg.id({ required: false }),
        status: t.arg({ type: RunStatus, required: false }),
        modality: t.arg({ type: Modality, required: false }),
        search: t.arg.string({
          required: false,
          description:
            "Part of the text, of the input's name, of a note, or of the model's or the method's id; case does not count.",
        }),
      },
      resolve: (_root, { first = null, after = null, ...filter }, { parts }) =>
        listRuns(parts, filter, { first, after }),
    }),
  )
  builder.queryField('sharedRun', (t) =>
    t.field({
      type: RunRef,
      nullable: true,
      description: 'The run behind a sharing link; null when the token is unknown, expired or revoked.',
      args: { token: t.arg.string({ required: true }) },
      resolve: async (_root, { token }, { parts }) => {
        const run = await findSharedRun(parts, token)
        return run === null ? null : { run, token }
      },
    }),
  )
}
