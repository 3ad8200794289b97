'use client'

import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import styles from './Workbench.module.css'
import type { ExplainState } from './useExplain.ts'

interface RunStatusLineProps {
  readonly state: Pick<ExplainState, 'pending' | 'failure'>
  /** What is being computed, for example “Grad-CAM”. */
  readonly subject: string
  /** Lies over the result before this one, so that nothing on the page moves. */
  readonly over: boolean
  readonly onCancel: () => void
  readonly onRetry: () => void
}

/** Says what is being computed, or why there is no result, and offers what can be done about it. */
export function RunStatusLine({ state, subject, over, onCancel, onRetry }: RunStatusLineProps) {
  const { pending, failure } = state
  if (pending) {
    return (
      <div className={styles['pending']} data-over={over}>
        <Progress
          label={pending.queued ? `${subject}: waiting for the model…` : `${subject}: computing…`}
          fraction={pending.progress}
          action={
            pending.id ? (
              <button type="button" data-size="small" onClick={onCancel}>
                Cancel
              </button>
            ) : null
          }
        />
      </div>
    )
  }
  if (!failure) return null
  return (
    <Notice
      tone={failure.tone}
      action={
        failure.retry ? (
          <button type="button" data-size="small" onClick={onRetry}>
            {failure.tone === 'error' ? 'Try again' : 'Explain again'}
          </button>
        ) : null
      }
    >
      {failure.message}
    </Notice>
  )
}
