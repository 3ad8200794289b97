'use client'

import { useEffect } from 'react'
import { useQuery, useSubscription } from 'urql'
import { RunByIdDocument, RunUpdatedDocument } from './generated/graphql.ts'
import { hasEnded } from './types.ts'

const POLL_MS = 1500

/** A stored run, kept up to date until it has ended: by the subscription, or by asking where that does not get through. */
export function useRun(id: string) {
  const [stored, refetch] = useQuery({
    query: RunByIdDocument,
    variables: { id },
    requestPolicy: 'cache-and-network',
  })
  const known = stored.data?.run ?? null
  const isOpen = known !== null && !hasEnded(known)
  const [live] = useSubscription({ query: RunUpdatedDocument, variables: { id }, pause: !isOpen })
  const update = live.data?.runUpdated
  const run = isOpen && update?.id === id ? update : known

  const settled = update !== undefined && hasEnded(update)
  useEffect(() => {
    if (isOpen && settled) refetch({ requestPolicy: 'network-only' })
  }, [isOpen, settled, refetch])

  const silent = isOpen && live.error !== undefined
  useEffect(() => {
    if (!silent) return
    const timer = setInterval(() => {
      refetch({ requestPolicy: 'network-only' })
    }, POLL_MS)
    return () => {
      clearInterval(timer)
    }
  }, [silent, refetch])

  return {
    run,
    error: stored.error,
    loading: stored.fetching,
    refresh: () => {
      refetch({ requestPolicy: 'network-only' })
    },
  }
}
