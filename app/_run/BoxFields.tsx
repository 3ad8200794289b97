'use client'

import { useId } from 'react'
import type { Box } from '../_graphql/types.ts'
import { clampBox } from './boxes.ts'
import styles from './Annotations.module.css'

const FIELDS = [
  { key: 'x', label: 'Left' },
  { key: 'y', label: 'Top' },
  { key: 'width', label: 'Width' },
  { key: 'height', label: 'Height' },
] as const

/** A box in numbers, in percent of the picture: the way to draw it without a pointer. */
export function BoxFields({ box, onChange }: { readonly box: Box; readonly onChange: (box: Box) => void }) {
  const id = useId()
  return (
    <div className={styles['boxFields']} role="group" aria-label="Box, in percent of the picture">
      {FIELDS.map(({ key, label }) => (
        <div key={key}>
          <label htmlFor={`${id}-${key}`}>{label} %</label>
          <input
            id={`${id}-${key}`}
            type="number"
            min={0}
            max={100}
            step={1}
            value={Math.round(box[key] * 100)}
            onChange={(event) => {
              const value = event.target.valueAsNumber
              if (Number.isFinite(value)) onChange(clampBox({ ...box, [key]: value / 100 }))
            }}
          />
        </div>
      ))}
    </div>
  )
}
