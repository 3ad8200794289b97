'use client'

import { useEffect, useRef, useState } from 'react'
import { useClient, type CombinedError } from 'urql'
import {
  CancelRunDocument,
  ExplainDocument,
  RunByIdDocument,
  RunUpdatedDocument,
  type ExplainInput,
} from '../_graphql/generated/graphql.ts'
import { isTransient, sentence } from '../_graphql/sentence.ts'
import { hasEnded, type Run } from '../_graphql/types.ts'

/** Short runs answer the mutation itself; longer ones show their progress instead. */
const WAIT_MS = 400
const POLL_MS = 700

export interface ExplainState {
  /** The last finished run about this input. */
  readonly run: Run | null
  readonly pending: { readonly id: string | null; readonly progress: number; readonly queued: boolean } | null
  /** Why there is no newer result, as a sentence. */
  readonly failure: {
    readonly message: string
    readonly tone: 'error' | 'info'
    /** Asking the same again may work. */
    readonly retry: boolean
  } | null
}

const EMPTY: ExplainState = { run: null, pending: null, failure: null }
const NOTHING = () => undefined

/** Asks for one explanation at a time; a newer question replaces, and cancels, the one before. */
export function useExplain() {
  const client = useClient()
  const [state, setState] = useState(EMPTY)
  const current = useRef<{ ticket: number; id: string | null; stop: () => void }>({
    ticket: 0,
    id: null,
    stop: NOTHING,
  })

  function begin(): number {
    const { id, stop, ticket } = current.current
    stop()
    if (id) void client.mutation(CancelRunDocument, { id }).toPromise()
    current.current = { ticket: ticket + 1, id: null, stop: NOTHING }
    return ticket + 1
  }

  function fail(ticket: number, error: CombinedError) {
    if (current.current.ticket !== ticket) return
    current.current.id = null
    setState(({ run }) => ({
      run,
      pending: null,
      failure: { message: sentence(error), tone: 'error', retry: isTransient(error) },
    }))
  }

  /** Shows what is known about the run; true once it has ended. */
  function settle(ticket: number, run: Run): boolean {
    if (current.current.ticket !== ticket) return true
    if (!hasEnded(run)) {
      current.current.id = run.id
      const pending = { id: run.id, progress: run.progress, queued: run.status === 'QUEUED' }
      setState((before) => ({ ...before, pending, failure: null }))
      return false
    }
    current.current.id = null
    if (run.status === 'DONE') {
      setState({ run, pending: null, failure: null })
    } else {
      const cancelled = run.status === 'CANCELLED'
      const message = cancelled ? 'The run was cancelled.' : (run.error?.message ?? 'The run failed.')
      setState((before) => ({
        run: before.run,
        pending: null,
        failure: { message, tone: cancelled ? 'info' : 'error', retry: true },
      }))
    }
    return true
  }

  function watch(ticket: number, id: string) {
    let ended = false
    const updates = client.subscription(RunUpdatedDocument, { id }).subscribe((result) => {
      if (result.data) ended = settle(ticket, result.data.runUpdated)
      if (!ended && (result.error || !result.hasNext)) poll(ticket, id)
    })
    current.current.stop = () => {
      updates.unsubscribe()
    }
  }

  /** For the case that the subscription does not get through. */
  function poll(ticket: number, id: string) {
    const timer = setTimeout(() => {
      void client
        .query(RunByIdDocument, { id }, { requestPolicy: 'network-only' })
        .toPromise()
        .then(({ data, error }) => {
          if (error) fail(ticket, error)
          else if (data?.run && !settle(ticket, data.run)) poll(ticket, id)
        })
    }, POLL_MS)
    current.current.stop = () => {
      clearTimeout(timer)
    }
  }

  async function explain(input: ExplainInput) {
    const ticket = begin()
    setState(({ run }) => ({ run, pending: { id: null, progress: 0, queued: true }, failure: null }))
    const { data, error } = await client.mutation(ExplainDocument, { input, waitMs: WAIT_MS }).toPromise()
    if (current.current.ticket !== ticket) return
    if (error || !data) {
      if (error) fail(ticket, error)
      return
    }
    if (!settle(ticket, data.explain)) watch(ticket, data.explain.id)
  }

  async function cancel() {
    const { ticket, id } = current.current
    if (!id) return
    const { data } = await client.mutation(CancelRunDocument, { id }).toPromise()
    if (data) settle(ticket, data.cancelRun)
  }

  /** Reads the shown run again, after its annotations changed. */
  async function refresh() {
    if (!state.run) return
    const { id } = state.run
    const { data } = await client.query(RunByIdDocument, { id }, { requestPolicy: 'network-only' }).toPromise()
    const run = data?.run
    if (run) setState((before) => (before.run?.id === id ? { ...before, run } : before))
  }

  function reset() {
    begin()
    setState(EMPTY)
  }

  useEffect(
    () => () => {
      current.current.stop()
    },
    [],
  )

  return { ...state, explain, cancel, refresh, reset }
}
