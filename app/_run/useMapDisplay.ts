'use client'

import { useState } from 'react'
import { useQuery } from 'urql'
import { ColourMapsDocument } from '../_graphql/generated/graphql.ts'
import { fittingColourMaps, type MapDisplay } from './mapDisplay.ts'

const INITIAL: MapDisplay = {
  opacity: 0.55,
  visible: true,
  chosen: { SEQUENTIAL: null, DIVERGING: null },
  rectified: true,
}

export function useMapDisplay() {
  const [display, setDisplay] = useState(INITIAL)
  return {
    display,
    change: (part: Partial<MapDisplay>) => {
      setDisplay((before) => ({ ...before, ...part }))
    },
  }
}

/** The colour maps that fit what is shown, and the one it is shown with; none until the server has named them. */
export function useColourMaps(display: MapDisplay) {
  const [{ data }] = useQuery({ query: ColourMapsDocument })
  return fittingColourMaps(data?.colourMaps ?? [], display)
}
