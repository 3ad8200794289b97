'use client'

import { useEffect, useEffectEvent } from 'react'
import type { ExplainInput } from '../_graphql/generated/graphql.ts'
import { rememberRun } from './useEarlierRun.ts'
import { useExplain } from './useExplain.ts'

/**
 * Explains the input on the bench as soon as there is one, and anew whenever it or the settings change; the run is in the
 * address then.
 * @param times rises when the same is to be asked again
 */
export function useExplanation(input: ExplainInput | null, times = 1) {
  const explaining = useExplain()
  const ask = () => {
    if (input) void explaining.explain(input)
  }
  const askAnew = useEffectEvent(ask)
  const key = input ? JSON.stringify([input, times]) : null
  useEffect(() => {
    if (key !== null) askAnew()
  }, [key])
  const runId = explaining.run?.id ?? null
  useEffect(() => {
    rememberRun(runId)
  }, [runId])
  return { ...explaining, ask }
}
