'use client'

import { useEffect, useEffectEvent } from 'react'
import { useSubscription } from 'urql'
import { EvaluationUpdatedDocument } from '../_graphql/generated/graphql.ts'
import { hasEnded, type Evaluation } from '../_graphql/types.ts'
import { Progress } from '../_ui/Progress.tsx'

const POLL_MS = 1500

interface OpenEvaluationProps {
  readonly evaluation: Evaluation
  /** It has ended, or may have. */
  readonly onNews: () => void
  readonly onCancel: () => void
}

/** How an evaluation goes: by the subscription, or by asking where that does not get through. */
export function OpenEvaluation({ evaluation, onNews, onCancel }: OpenEvaluationProps) {
  const { id, metric } = evaluation
  const [live] = useSubscription({ query: EvaluationUpdatedDocument, variables: { id } })
  const { status, progress } = live.data?.evaluationUpdated ?? evaluation
  const tell = useEffectEvent(onNews)
  const ended = hasEnded({ status })
  useEffect(() => {
    if (ended) tell()
  }, [ended])

  const silent = live.error !== undefined
  useEffect(() => {
    if (!silent) return
    const timer = setInterval(() => {
      tell()
    }, POLL_MS)
    return () => {
      clearInterval(timer)
    }
  }, [silent])

  return (
    <Progress
      label={status === 'QUEUED' ? `${metric.title}: waiting…` : `${metric.title}: computing…`}
      fraction={progress}
      action={
        <button type="button" data-size="small" aria-label={`Cancel ${metric.title}`} onClick={onCancel}>
          Cancel
        </button>
      }
    />
  )
}
