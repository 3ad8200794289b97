'use client'

import Link from 'next/link'
import type { HistoryQuery } from '../_graphql/generated/graphql.ts'
import { saidOf, when } from '../_run/format.ts'
import styles from './History.module.css'

type HistoryRun = HistoryQuery['runs']['edges'][number]['node']

const STATE_WORDS: Record<HistoryRun['status'], string> = {
  QUEUED: 'waiting',
  RUNNING: 'running',
  DONE: '',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
}
const FIRST_CHARACTERS = 180

function firstWords(text: string): string {
  const points = Array.from(text)
  return points.length > FIRST_CHARACTERS ? `${points.slice(0, FIRST_CHARACTERS).join('')}…` : text
}

/** A run in a line: what went in, what came out. */
export function HistoryRow({ run, onDelete }: { readonly run: HistoryRun; readonly onDelete: (id: string) => void }) {
  const name = run.target ? `${run.method.title} for “${run.target.label}”` : run.method.title
  return (
    <li className={styles['row']}>
      <div className={styles['thumb']}>
        {run.image ? <img src={run.image.url} alt="" loading="lazy" /> : <span aria-hidden="true">Aa</span>}
      </div>
      <div className={styles['what']}>
        <Link href={`/runs/${run.id}`} className={styles['title']}>
          {name}
        </Link>
        {run.text !== null ? <p className={styles['words']}>{firstWords(run.text)}</p> : null}
        {run.status === 'FAILED' && run.error ? <p className={styles['failure']}>{run.error.message}</p> : null}
        <p className={styles['meta']}>
          {run.name ? `${run.name}: ` : ''}
          {run.model.title}
          {run.target ? `, ${run.target.label} ${saidOf(run.target)}` : ''}
        </p>
      </div>
      <div className={styles['end']}>
        {STATE_WORDS[run.status] === '' ? null : (
          <span className={styles['state']} data-status={run.status}>
            {STATE_WORDS[run.status]}
          </span>
        )}
        <time dateTime={run.createdAt}>{when(run.createdAt)}</time>
        <button
          type="button"
          data-variant="quiet"
          data-size="small"
          aria-label={`Delete the run “${name}” of ${when(run.createdAt)}`}
          onClick={() => {
            onDelete(run.id)
          }}
        >
          Delete
        </button>
      </div>
    </li>
  )
}
