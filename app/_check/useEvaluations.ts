'use client'

import { useState } from 'react'
import { useClient, useQuery } from 'urql'
import {
  CancelEvaluationDocument,
  EvaluateDocument,
  EvaluationsOfRunDocument,
  MetricsForRunDocument,
  type Modality,
} from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import { quickOnes } from './families.ts'

/** What metrics were asked of a run, and the asking. They are stored with the run: a reload finds them again. */
export function useEvaluations(runId: string) {
  const client = useClient()
  const [stored, refetch] = useQuery({
    query: EvaluationsOfRunDocument,
    variables: { id: runId },
    requestPolicy: 'cache-and-network',
  })
  const [asking, setAsking] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const refresh = () => {
    refetch({ requestPolicy: 'network-only' })
  }

  async function work(doing: () => Promise<string | null>) {
    setAsking(true)
    setFailure(null)
    setFailure(await doing())
    setAsking(false)
    refresh()
  }
  async function evaluate(ids: readonly string[]): Promise<string | null> {
    const metrics = ids.map((id) => ({ id, params: null }))
    const { error } = await client.mutation(EvaluateDocument, { runId, metrics }).toPromise()
    return error ? sentence(error) : null
  }

  return {
    evaluations: stored.data?.run?.evaluations ?? [],
    loading: stored.fetching && stored.data === undefined,
    failure: failure ?? (stored.error ? sentence(stored.error) : null),
    asking,
    refresh,
    ask: (ids: readonly string[]) => work(() => evaluate(ids)),
    /** Those that suit the model and the run and take seconds. */
    askQuick: (isMarked: boolean, modality: Modality) =>
      work(async () => {
        const { data, error } = await client.query(MetricsForRunDocument, { id: runId }).toPromise()
        if (error) return sentence(error)
        const ids = quickOnes(data?.run?.metrics ?? [], isMarked, modality)
        return ids.length > 0 ? evaluate(ids) : 'None of the quick metrics suits this run. Choose others below.'
      }),
    cancel: (ids: readonly string[]) =>
      work(async () => {
        const ended = await Promise.all(ids.map((id) => client.mutation(CancelEvaluationDocument, { id }).toPromise()))
        const error = ended.find((one) => one.error)?.error
        return error ? sentence(error) : null
      }),
  }
}
export type Evaluations = ReturnType<typeof useEvaluations>
