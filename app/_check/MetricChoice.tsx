'use client'

import { useState } from 'react'
import { useQuery } from 'urql'
import { MetricsForRunDocument, type Modality } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import { count } from '../_run/format.ts'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { metricFamilies, whyNot } from './families.ts'
import styles from './Check.module.css'

interface MetricChoiceProps {
  readonly runId: string
  readonly modality: Modality
  readonly isMarked: boolean
  /** Ids of the metrics that were asked before. */
  readonly asked: readonly string[]
  readonly onAsk: (ids: readonly string[]) => void
}

function passesInWords(passes: number | null): string {
  if (passes === null) return ''
  return passes === 0 ? 'at once' : `up to ${count(passes)} passes of the model`
}

/** Every metric of the modality by family, with what it costs here or why it cannot be asked. */
export function MetricChoice({ runId, modality, isMarked, asked, onAsk }: MetricChoiceProps) {
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [{ data, error }] = useQuery({ query: MetricsForRunDocument, variables: { id: runId } })
  if (error) return <Notice tone="error">{sentence(error)}</Notice>
  const offered = data?.run?.metrics
  if (!offered) return <Progress label="Loading the metrics…" />
  const passes = offered
    .filter(({ metric }) => chosen.includes(metric.id))
    .reduce((sum, offer) => sum + (offer.passes ?? 0), 0)
  return (
    <form
      className={styles['choice']}
      aria-label="Metrics to choose"
      onSubmit={(event) => {
        event.preventDefault()
        onAsk(chosen)
        setChosen([])
      }}
    >
      {metricFamilies(offered).map(({ group: family, members }) => (
        <fieldset key={family.id}>
          <legend>
            {family.title} <span>{family.question}</span>
          </legend>
          {members.map((offer) => {
            const { metric } = offer
            const reason = whyNot(offer, isMarked, modality)
            return (
              <label key={metric.id} data-available={reason === null}>
                <input
                  type="checkbox"
                  checked={chosen.includes(metric.id) && reason === null}
                  disabled={reason !== null}
                  onChange={(event) => {
                    setChosen(event.target.checked ? [...chosen, metric.id] : chosen.filter((id) => id !== metric.id))
                  }}
                />
                <span>
                  <b>{metric.title}</b>
                  <span>{metric.summary}</span>
                  <small>{reason ?? (asked.includes(metric.id) ? 'asked already' : passesInWords(offer.passes))}</small>
                </span>
              </label>
            )
          })}
        </fieldset>
      ))}
      <div className={styles['choiceFoot']}>
        <button type="submit" disabled={chosen.length === 0}>
          {chosen.length === 0 ? 'Ask the chosen ones' : `Ask ${count(chosen.length)} chosen`}
        </button>
        <span className={styles['hint']}>{chosen.length === 0 ? '' : passesInWords(passes)}</span>
      </div>
    </form>
  )
}
