import type { ReactNode } from 'react'
import styles from './Legend.module.css'

interface LegendProps {
  readonly label: string
  /** Each what is drawn, and what it stands for; a note has nothing drawn. */
  readonly entries: readonly { readonly drawn: ReactNode; readonly text: string }[]
}

/** What the marks and lines of a drawing stand for. */
export function Legend({ label, entries }: LegendProps) {
  return (
    <ul className={styles['legend']} aria-label={label}>
      {entries.map(({ drawn, text }) => (
        <li key={text}>
          {drawn}
          {text}
        </li>
      ))}
    </ul>
  )
}
