import { resolveCursorConnection } from '@pothos/plugin-relay'
import { findRun } from '../services/get-run.ts'
import { findSharedRun } from '../services/find-shared-run.ts'
import {
  checkedPageSize,
  countRuns,
  cursorOf,
  DEFAULT_PAGE,
  LARGEST_PAGE,
  listRuns,
  type RunFilter,
} from '../services/list-runs.ts'
import type { Parts } from '../parts.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'
import type { Enums } from './enums.ts'
import type { RunTypes } from './run.ts'
import { ownView, type RunView } from './run-view.ts'

interface PageRequest {
  readonly first: number | null
  readonly after: string | null
}

/** A page of the history. @throws AppError BAD_INPUT for a page size out of range or a foreign cursor */
async function pageOfRuns(parts: Parts, filter: RunFilter, { first, after }: PageRequest) {
  const { edges, pageInfo } = await resolveCursorConnection<Promise<RunView[]>>(
    { args: { first: checkedPageSize(first), after }, toCursor: ({ run }) => cursorOf(run) },
    async ({ limit }) => (await listRuns(parts, filter, { after, limit })).map(ownView),
  )
  return {
    edges,
    // An empty page begins and ends nowhere; the plugin would answer the cursor it was asked for.
    pageInfo: edges.length > 0 ? pageInfo : { ...pageInfo, startCursor: null, endCursor: null },
    totalCount: () => countRuns(parts, filter),
  }
}

export function addRuns(builder: Builder, { Modality, RunStatus }: Enums, { RunRef }: RunTypes): void {
  const RunConnection = builder.connectionObject({
    name: 'RunConnection',
    description: 'A page of the history.',
    type: RunRef,
  })

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
      extensions: answerSize({ page: { default: DEFAULT_PAGE, largest: LARGEST_PAGE } }),
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
        pageOfRuns(parts, filter, { first, after }),
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
