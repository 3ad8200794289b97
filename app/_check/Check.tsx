'use client'

import { useId, useState } from 'react'
import type { Evaluation, Run } from '../_graphql/types.ts'
import { hasEnded } from '../_graphql/types.ts'
import { Notice } from '../_ui/Notice.tsx'
import { Judgements } from './Judgements.tsx'
import { isMarked, isOfTheseMarks } from './marks.ts'
import { MetricChoice } from './MetricChoice.tsx'
import { OpenEvaluation } from './OpenEvaluation.tsx'
import { useEvaluations, type Evaluations } from './useEvaluations.ts'
import styles from './Check.module.css'

/** Those that have no result yet, or got none. */
function Unfinished({ asked }: { readonly asked: Evaluations }) {
  const open = asked.evaluations.filter((evaluation) => !hasEnded(evaluation))
  const without = asked.evaluations.filter(({ status }) => status === 'FAILED' || status === 'CANCELLED')
  return (
    <>
      {open.map((evaluation) => (
        <OpenEvaluation
          key={evaluation.id}
          evaluation={evaluation}
          onNews={asked.refresh}
          onCancel={() => void asked.cancel([evaluation.id])}
        />
      ))}
      {open.length > 1 ? (
        <div>
          <button
            type="button"
            data-size="small"
            onClick={() => void asked.cancel(open.map(({ id }) => id))}
          >{`Cancel all ${open.length}`}</button>
        </div>
      ) : null}
      {without.map((evaluation) => (
        <Notice
          key={evaluation.id}
          tone={evaluation.status === 'FAILED' ? 'error' : 'info'}
          action={
            <button
              type="button"
              data-size="small"
              aria-label={`Ask ${evaluation.metric.title} again`}
              onClick={() => void asked.ask([evaluation.metric.id])}
            >
              Ask again
            </button>
          }
        >
          {whyWithout(evaluation)}
        </Notice>
      ))}
    </>
  )
}

function whyWithout({ metric, status, error }: Evaluation): string {
  if (status === 'CANCELLED') return `${metric.title} was cancelled before it had a value.`
  return `${metric.title}: ${error?.message ?? 'it failed.'}`
}

/** What there is to ask at once: the quick ones, or those that compare with marks made since. */
function quickLabel(evaluations: readonly Evaluation[], { annotations, model }: Run): string | null {
  if (evaluations.length === 0) return 'Check this explanation'
  const compared = evaluations.filter(({ metric }) => metric.needsAnnotation)
  const isNews = isMarked(annotations) && !compared.some((evaluation) => isOfTheseMarks(evaluation, annotations))
  if (!isNews) return null
  return model.modality === 'IMAGE' ? 'Compare with the drawn box' : 'Compare with the marked words'
}

/** How far a finished run's explanation holds: metrics beside attributions that know nothing, asked here and kept with the run. */
export function Check({ run }: { readonly run: Run }) {
  const headingId = useId()
  const asked = useEvaluations(run.id)
  const [choosing, setChoosing] = useState(false)
  const { modality } = run.model
  const marked = isMarked(run.annotations)
  // While what was asked before is loading, the button is there and waits, so that nothing on the page moves.
  const label = quickLabel(asked.evaluations, run)
  return (
    <section className={styles['check']} aria-labelledby={headingId}>
      <h2 id={headingId}>Check</h2>
      <p className={styles['hint']}>
        How far does this explanation hold? Each metric stands beside what it says of attributions that know nothing of
        the model. None of them alone says that an explanation is right.
      </p>
      {asked.failure === null ? null : <Notice tone="error">{asked.failure}</Notice>}
      {label === null ? null : (
        <div>
          <button
            type="button"
            data-variant={asked.evaluations.length === 0 ? 'primary' : undefined}
            disabled={asked.asking || asked.loading}
            onClick={() => void asked.askQuick(marked, modality)}
          >
            {label}
          </button>
        </div>
      )}
      <Unfinished asked={asked} />
      <Judgements evaluations={asked.evaluations} annotations={run.annotations} />
      <details
        className={styles['more']}
        onToggle={(event) => {
          setChoosing(event.currentTarget.open)
        }}
      >
        <summary>Choose metrics</summary>
        {choosing ? (
          <MetricChoice
            runId={run.id}
            modality={modality}
            isMarked={marked}
            asked={asked.evaluations.map(({ metric }) => metric.id)}
            onAsk={(ids) => void asked.ask(ids)}
          />
        ) : null}
      </details>
    </section>
  )
}
