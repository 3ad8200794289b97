'use client'

import { useEffect, useEffectEvent, useState } from 'react'
import { useClient } from 'urql'
import { RunByIdDocument, type Modality } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import type { Run } from '../_graphql/types.ts'

/** Opens the run named in the address, so that a reload, and “open in workbench”, continue where one was. */
export function useEarlierRun(id: string | null, modality: Modality, onFound: (run: Run) => void) {
  const client = useClient()
  const [state, setState] = useState<{ loading: boolean; problem: string | null }>({
    loading: id !== null,
    problem: null,
  })
  const found = useEffectEvent(onFound)

  useEffect(() => {
    if (id === null) return
    let left = false
    void client
      .query(RunByIdDocument, { id }, { requestPolicy: 'network-only' })
      .toPromise()
      .then(({ data, error }) => {
        if (left) return
        const run = data?.run
        if (run && run.model.modality === modality) {
          setState({ loading: false, problem: null })
          found(run)
        } else {
          const problem = error ? sentence(error) : 'The run in this address does not exist any more. Start a new one.'
          setState({ loading: false, problem })
        }
      })
    return () => {
      left = true
    }
  }, [client, id, modality])
  return state
}

/** Puts the run into the address, without a new entry in the browser's history. */
export function rememberRun(id: string | null): void {
  const address = new URL(window.location.href)
  if (id === null || address.searchParams.get('run') === id) return
  address.searchParams.set('run', id)
  window.history.replaceState(window.history.state, '', address)
}
