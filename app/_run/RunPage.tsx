'use client'

import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { useMutation } from 'urql'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import { Check } from '../_check/Check.tsx'
import { CancelRunDocument } from '../_graphql/generated/graphql.ts'
import { LoadFailure } from '../_graphql/LoadFailure.tsx'
import { sentence } from '../_graphql/sentence.ts'
import { useRun } from '../_graphql/useRun.ts'
import { Message } from '../_ui/Message.tsx'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { DeleteRunDialog } from './DeleteRunDialog.tsx'
import { RunBody } from './RunBody.tsx'
import { RunTitle } from './RunTitle.tsx'
import { ShareDialog } from './ShareDialog.tsx'
import styles from './RunPage.module.css'

/** One stored run: its input, result, provenance and annotations; to share, open again or delete. */
export function RunPage({ id }: { readonly id: string }) {
  const { run, error, loading, refresh } = useRun(id)
  const router = useRouter()
  const [dialog, setDialog] = useState<'share' | 'delete' | null>(null)
  const [cancelling, cancel] = useMutation(CancelRunDocument)
  const isDone = run?.status === 'DONE'
  usePageCommands(
    isDone
      ? {
          share: () => {
            setDialog('share')
          },
        }
      : {},
  )

  if (!run) {
    if (loading) return <Progress label="Loading the run…" />
    if (error) {
      return <LoadFailure error={error} onRetry={refresh} />
    }
    return (
      <Message title="There is no such run">
        <p>
          It may have been deleted. The <Link href="/history">history</Link> lists the runs there are.
        </p>
      </Message>
    )
  }
  const close = () => {
    setDialog(null)
  }
  const workbench = run.model.modality === 'IMAGE' ? '/photo' : '/review'
  return (
    <article className={styles['page']}>
      <header className={styles['head']}>
        <RunTitle run={run} />
        <div className={styles['actions']}>
          <Link href={`${workbench}?run=${run.id}`} data-button="">
            {run.status === 'FAILED' || run.status === 'CANCELLED' ? 'Run again in the workbench' : 'Open in workbench'}
          </Link>
          {isDone ? (
            <button
              type="button"
              onClick={() => {
                setDialog('share')
              }}
            >
              Share
            </button>
          ) : null}
          <button
            type="button"
            data-variant="danger"
            onClick={() => {
              setDialog('delete')
            }}
          >
            Delete
          </button>
        </div>
      </header>
      {error ? <Notice tone="error">{sentence(error)}</Notice> : null}
      {cancelling.error ? <Notice tone="error">{sentence(cancelling.error)}</Notice> : null}
      <RunBody
        run={run}
        onChanged={refresh}
        check={<Check key={run.id} run={run} />}
        onCancel={() => {
          void cancel({ id: run.id }).then(refresh)
        }}
      />
      {dialog === 'share' ? <ShareDialog runId={run.id} onClose={close} /> : null}
      {dialog === 'delete' ? (
        <DeleteRunDialog
          runId={run.id}
          onClose={close}
          onDeleted={() => {
            router.push('/history')
          }}
        />
      ) : null}
    </article>
  )
}
