'use client'

import type { ReactNode } from 'react'
import type { Run } from '../_graphql/types.ts'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { Diagnoses } from './Diagnoses.tsx'
import { ImageResult } from './ImageResult.tsx'
import { Predictions } from './Predictions.tsx'
import { RunFacts } from './RunFacts.tsx'
import { TextResult } from './TextResult.tsx'
import styles from './RunPage.module.css'

interface RunBodyProps {
  readonly run: Run
  /** Absent on a read-only page. */
  readonly onChanged?: () => void
  readonly onCancel?: () => void
  /** Under the result: how far it holds. */
  readonly check?: ReactNode
}

/** A run's input with whatever is known about it: shared by the run page and the read-only page. */
export function RunBody({ run, onChanged, onCancel, check }: RunBodyProps) {
  const isOpen = run.status === 'QUEUED' || run.status === 'RUNNING'
  return (
    <div className={styles['body']}>
      <div className={styles['main']}>
        {isOpen ? (
          <Progress
            label={run.status === 'QUEUED' ? 'Waiting for the model…' : `${run.method.title}: computing…`}
            fraction={run.progress}
            action={
              onCancel ? (
                <button type="button" data-size="small" onClick={onCancel}>
                  Cancel
                </button>
              ) : null
            }
          />
        ) : null}
        {run.status === 'FAILED' ? <Notice tone="error">{run.error?.message ?? 'The run failed.'}</Notice> : null}
        {run.status === 'CANCELLED' ? (
          <Notice tone="info">This run was cancelled before it had a result.</Notice>
        ) : null}
        {run.image ? (
          <ImageResult
            picture={{
              url: run.image.url,
              width: run.image.width,
              height: run.image.height,
              alt: 'The explained picture',
            }}
            run={run}
            onChanged={onChanged}
          >
            <Diagnoses diagnoses={run.diagnoses} />
          </ImageResult>
        ) : null}
        {run.text !== null ? (
          run.attribution ? (
            <TextResult run={run} onChanged={onChanged}>
              <Diagnoses diagnoses={run.diagnoses} />
            </TextResult>
          ) : (
            <p className={styles['plainText']}>{run.text}</p>
          )
        ) : null}
        {run.status === 'DONE' ? check : null}
      </div>
      <aside className={styles['side']} aria-label="Prediction and provenance">
        {run.predictions.length > 0 ? (
          <section aria-labelledby="predictions">
            <h2 id="predictions">What the model says</h2>
            <Predictions run={run} />
          </section>
        ) : null}
        <section aria-labelledby="facts">
          <h2 id="facts">How this was made</h2>
          <RunFacts run={run} linked={onChanged !== undefined} />
        </section>
      </aside>
    </div>
  )
}
