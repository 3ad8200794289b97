'use client'

import { useId, useState } from 'react'
import type { Evaluation } from '../_graphql/types.ts'
import { significant } from '../_run/format.ts'
import { lines } from '../_run/jsonLines.ts'
import { Citation } from '../_ui/Citation.tsx'
import { ControlScale } from './ControlScale.tsx'
import { scaleOf } from './scale.ts'
import { standingInWords } from './standing.ts'
import styles from './Judgements.module.css'

/** Behind a value; an interval without width says nothing more. */
function range(interval: Evaluation['interval']): string {
  return interval === null || interval.low === interval.high
    ? ''
    : ` (${significant(interval.low)} to ${significant(interval.high)})`
}

/** What the metric means and when it misleads, with how it was asked. */
function About({ evaluation: { metric, params } }: { readonly evaluation: Evaluation }) {
  const asked = lines(params)
  return (
    <dl className={styles['about']}>
      <div>
        <dt>What it means</dt>
        <dd>{metric.meaning}</dd>
      </div>
      <div>
        <dt>When it misleads</dt>
        <dd>{metric.misleads}</dd>
      </div>
      {asked.length > 0 ? (
        <div>
          <dt>Asked with</dt>
          <dd>{asked.map(({ path, value }) => `${path} ${value}`).join(', ')}</dd>
        </div>
      ) : null}
      {metric.paper ? (
        <div>
          <dt>Paper</dt>
          <dd>
            <Citation paper={metric.paper} />
          </dd>
        </div>
      ) : null}
    </dl>
  )
}

interface MetricRowProps {
  readonly evaluation: Evaluation
  /** It was compared with marks that are no more those of the run. */
  readonly isOutdated: boolean
}

/** A metric's value beside what its controls reach; its meaning on demand, its diagnoses under it. */
export function MetricRow({ evaluation, isOutdated }: MetricRowProps) {
  const [open, setOpen] = useState(false)
  const aboutId = useId()
  const { metric, value, interval, controls, diagnoses } = evaluation
  const scale = scaleOf(evaluation)
  const standing = standingInWords(evaluation)
  return (
    <>
      <tr role="row" className={styles['row']}>
        <th role="rowheader" scope="row">
          <span>{metric.title}</span>
          <button
            type="button"
            data-variant="quiet"
            data-size="small"
            aria-expanded={open}
            aria-controls={aboutId}
            aria-label={`About ${metric.title}`}
            onClick={() => {
              setOpen(!open)
            }}
          >
            About
          </button>
          {isOutdated ? <small>compared with other marks than there are now</small> : null}
        </th>
        <td role="cell" className={styles['value']}>
          <b>{value === null ? 'none' : significant(value)}</b>
          {interval ? <small>{range(interval)}</small> : null}
          <small>{metric.better === 'HIGHER' ? 'higher is better' : 'lower is better'}</small>
        </td>
        <td role="cell" className={styles['scaleCell']}>
          {scale ? <ControlScale scale={scale} /> : null}
        </td>
        <td role="cell" className={styles['controls']}>
          {standing === '' ? null : <b>{`${standing[0]?.toUpperCase() ?? ''}${standing.slice(1)}`}</b>}
          <span>
            {controls
              .map((control) =>
                control.value === null
                  ? `${control.id} none`
                  : `${control.id} ${significant(control.value)}${range(control.interval)}`,
              )
              .join(', ')}
          </span>
          {diagnoses.map(({ code, message }) => (
            <span key={`${code} ${message}`} className={styles['diagnosis']}>
              {message}
            </span>
          ))}
        </td>
      </tr>
      <tr role="row" hidden={!open} id={aboutId}>
        <td role="cell" colSpan={4}>
          {open ? <About evaluation={evaluation} /> : null}
        </td>
      </tr>
    </>
  )
}
