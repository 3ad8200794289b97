'use client'

import { useState } from 'react'
import { DIVERGING, SEQUENTIAL, type DivergingScale, type SequentialScale } from './colourScales.ts'

/** How a map is shown; none of it touches the stored values. */
export interface MapDisplay {
  /** 0..1 */
  readonly opacity: number
  readonly visible: boolean
  /** One for each kind of view, so that switching between them keeps both choices. */
  readonly sequential: SequentialScale
  readonly diverging: DivergingScale
  /** Only the evidence for the class. */
  readonly rectified: boolean
}

const INITIAL: MapDisplay = {
  opacity: 0.55,
  visible: true,
  sequential: 'viridis',
  diverging: 'blue-red',
  rectified: true,
}

/** The scale in use, by its name on the server, with its colours. */
export function scaleOf({ rectified, sequential, diverging }: MapDisplay) {
  return rectified
    ? { name: sequential, info: SEQUENTIAL[sequential] }
    : { name: diverging, info: DIVERGING[diverging] }
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
