import type { ShareLink } from '../../prisma/generated/client.ts'
import { revokeShare } from '../services/revoke-share.ts'
import { shareRun } from '../services/share-run.ts'
import type { Builder } from './builder.ts'

export interface ShareLinkView {
  readonly link: ShareLink
  /** Known only to the answer of shareRun. */
  readonly token: string | null
}

export function addShareLink(builder: Builder) {
  const ShareLinkRef = builder.objectRef<ShareLinkView>('ShareLink').implement({
    description:
      '`url` holds the secret and is answered once, by shareRun; afterwards it is the link without its token.',
    fields: (t) => ({
      id: t.id({ resolve: ({ link }) => link.id }),
      url: t.string({
        description: 'Complete where it holds the token; `.../shared/` afterwards.',
        resolve: ({ token }, _args, { origin }) => `${origin}/shared/${token ?? ''}`,
      }),
      expiresAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ link }) => link.expiresAt }),
      revokedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ link }) => link.revokedAt }),
      createdAt: t.field({ type: 'DateTime', resolve: ({ link }) => link.createdAt }),
    }),
  })

  builder.mutationField('shareRun', (t) =>
    t.field({
      type: ShareLinkRef,
      description: 'Makes a link that shows one finished run, read-only, to whoever has it.',
      args: {
        runId: t.arg.id({ required: true }),
        expiresAt: t.arg({ type: 'DateTime', required: false, description: 'null: the link does not expire.' }),
      },
      resolve: (_root, { runId, expiresAt }, { parts }) => shareRun(parts, runId, expiresAt ?? null),
    }),
  )
  builder.mutationField('revokeShare', (t) =>
    t.field({
      type: ShareLinkRef,
      description: 'Ends a sharing link at once.',
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, { parts }) => ({ link: await revokeShare(parts, id), token: null }),
    }),
  )
  return { ShareLinkRef }
}
export type ShareLinkTypes = ReturnType<typeof addShareLink>
