'use client'

import { useState } from 'react'
import type { ColourScale } from './colourScales.ts'

/** How a map is shown; none of it touches the stored values. */
export interface MapDisplay {
  /** 0..1 */
  readonly opacity: number
  readonly visible: boolean
  readonly scale: ColourScale
  /** Only the evidence for the class. */
  readonly rectified: boolean
}

const INITIAL: MapDisplay = { opacity: 0.55, visible: true, scale: 'viridis', rectified: true }

export function useMapDisplay() {
  const [display, setDisplay] = useState(INITIAL)
  return {
    display,
    change: (part: Partial<MapDisplay>) => {
      setDisplay((before) => ({ ...before, ...part }))
    },
  }
}
