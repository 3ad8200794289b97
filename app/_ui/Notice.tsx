import type { ReactNode } from 'react'
import styles from './Notice.module.css'

interface NoticeProps {
  readonly tone: 'error' | 'warning' | 'info'
  readonly children: ReactNode
  readonly action?: ReactNode
}

/** A sentence that the reader must know. Errors interrupt a screen reader, the rest waits. */
export function Notice({ tone, children, action }: NoticeProps) {
  return (
    <div className={styles['notice']} data-tone={tone} role={tone === 'error' ? 'alert' : 'note'}>
      <div>{children}</div>
      {action ? <div className={styles['action']}>{action}</div> : null}
    </div>
  )
}
