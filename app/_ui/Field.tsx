'use client'

import { useId, type ReactNode } from 'react'
import styles from './Field.module.css'

interface FieldProps {
  readonly label: string
  readonly hint?: ReactNode
  readonly error?: string | null | undefined
  /** Gets the id of the control and of the texts that describe it. */
  readonly children: (ids: { id: string; 'aria-describedby': string | undefined }) => ReactNode
}

/** A label over a control, with a hint or an error under it, tied together for screen readers. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId()
  const describedBy = hint || error ? `${id}-about` : undefined
  return (
    <div className={styles['field']}>
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': describedBy })}
      {describedBy ? (
        <p id={describedBy} className={styles['about']} data-error={Boolean(error)}>
          {error ?? hint}
        </p>
      ) : null}
    </div>
  )
}
