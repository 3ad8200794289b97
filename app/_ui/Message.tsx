import type { ReactNode } from 'react'
import styles from './Message.module.css'

/** A page that has nothing to show but a few sentences. */
export function Message({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className={styles['message']}>
      <h1>{title}</h1>
      {children}
    </div>
  )
}
