'use client'

import { useMutation } from 'urql'
import { DeleteRunDocument } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import { Dialog } from '../_ui/Dialog.tsx'
import { Notice } from '../_ui/Notice.tsx'
import styles from './DeleteRunDialog.module.css'

interface DeleteRunDialogProps {
  readonly runId: string
  readonly onClose: () => void
  readonly onDeleted: () => void
}

export function DeleteRunDialog({ runId, onClose, onDeleted }: DeleteRunDialogProps) {
  const [deleting, remove] = useMutation(DeleteRunDocument)
  return (
    <Dialog title="Delete this run?" onClose={onClose}>
      <div className={styles['delete']}>
        <p>Its result, its annotations and the links to it go with it. This cannot be undone.</p>
        {deleting.error ? <Notice tone="error">{sentence(deleting.error)}</Notice> : null}
        <div className={styles['buttons']}>
          <button type="button" onClick={onClose}>
            Keep it
          </button>
          <button
            type="button"
            data-variant="danger"
            disabled={deleting.fetching}
            onClick={() => {
              void remove({ id: runId }, { additionalTypenames: ['Run', 'RunConnection'] }).then((result) => {
                if (result.data) onDeleted()
              })
            }}
          >
            {deleting.fetching ? 'Deleting…' : 'Delete the run'}
          </button>
        </div>
      </div>
    </Dialog>
  )
}
