import type { ReactNode } from 'react'
import styles from './Progress.module.css'

interface ProgressProps {
  /** What is being done, in words. */
  readonly label: string
  /** 0..1; absent where nobody knows. */
  readonly fraction?: number | undefined
  readonly action?: ReactNode
}

/** What is going on, in words, with a bar where the share done is known. */
export function Progress({ label, fraction, action }: ProgressProps) {
  const known = fraction !== undefined && fraction > 0
  return (
    <div className={styles['progress']}>
      <div className={styles['line']}>
        <span role="status">{label}</span>
        {known ? <span className={styles['share']}>{Math.round(fraction * 100)} %</span> : null}
        {action}
      </div>
      <div
        className={styles['track']}
        role="progressbar"
        aria-label={label}
        {...(known ? { 'aria-valuenow': Math.round(fraction * 100), 'aria-valuemin': 0, 'aria-valuemax': 100 } : {})}
      >
        <div
          className={styles['bar']}
          data-known={known}
          style={known ? { transform: `scaleX(${String(fraction)})` } : undefined}
        />
      </div>
    </div>
  )
}
