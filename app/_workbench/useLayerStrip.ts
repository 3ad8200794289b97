'use client'

import { useEffect, useEffectEvent, useState } from 'react'
import { useQuery } from 'urql'
import { StripOfRunDocument, type ExplainInput } from '../_graphql/generated/graphql.ts'
import { readFields } from './paramFields.ts'
import { stripTiles, type StripTile } from './stripTiles.ts'
import { useExplain, type ExplainState } from './useExplain.ts'
import type { Settings } from './useSettings.ts'

export interface LayerStripState extends Pick<ExplainState, 'pending' | 'failure'> {
  /** Whether the method can be asked at several layers. */
  readonly offered: boolean
  /** Empty until it was asked for and is there. */
  readonly tiles: readonly StripTile[]
  readonly ask: () => void
  readonly cancel: () => void
  readonly choose: (layer: string) => void
}

/**
 * One map a layer, of the question on the bench, in a run of its own: made when it is asked for, and there until something else
 * than the layer is chosen.
 * @param input what is explained now
 */
export function useLayerStrip(input: ExplainInput | null, { setup, method, setParam }: Settings): LayerStripState {
  const explaining = useExplain()
  const [askedFor, setAskedFor] = useState<string | null>(null)
  const field =
    method === null ? undefined : readFields(method.paramsSchema).find(({ control }) => control.kind === 'tap')
  const place = setup?.methods.find((entry) => entry.method.id === method?.id)
  const question = input === null ? null : { ...input, params: without(input.params, field?.name), allLayers: true }
  const key = JSON.stringify(question)
  const isOpen = askedFor === key

  const leave = useEffectEvent(() => {
    if (!isOpen) void explaining.cancel()
  })
  useEffect(() => {
    leave()
  }, [key])

  const run = isOpen ? explaining.run : null
  const [{ data }] = useQuery({ query: StripOfRunDocument, variables: { id: run?.id ?? '' }, pause: run === null })
  const found = run !== null && data?.run?.id === run.id ? data.run.maps : []
  return {
    offered: question !== null && field !== undefined && (place?.layers.length ?? 0) > 1,
    tiles: found.length > 0 ? stripTiles(setup?.taps ?? [], found) : [],
    // Between the end of the run and the answer with its maps there is still something to wait for.
    pending: isOpen ? (explaining.pending ?? (run && found.length === 0 ? WAITING : null)) : null,
    failure: isOpen ? explaining.failure : null,
    ask: () => {
      if (question === null) return
      setAskedFor(key)
      explaining.reset()
      void explaining.explain(question)
    },
    cancel: () => void explaining.cancel(),
    choose: (layer) => {
      if (field) setParam(field.name, layer)
    },
  }
}

const WAITING = { id: null, progress: 1, queued: false }

function without(params: unknown, name: string | undefined): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(params ?? {}).filter(([key]) => key !== name))
}
