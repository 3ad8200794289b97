import type { Run } from '../_graphql/types.ts'
import { about } from './describe.ts'
import { dateTime } from './format.ts'
import styles from './RunPage.module.css'

export function RunTitle({ run }: { readonly run: Run }) {
  const predicted = run.predictions[0]
  return (
    <div>
      <h1>
        {run.method.title}
        {about(run)}
      </h1>
      <p className={styles['about']}>
        {run.model.title}
        {predicted ? `, which says ${predicted.label}` : ''} ·{' '}
        <time dateTime={run.createdAt}>{dateTime(run.createdAt)}</time>
      </p>
    </div>
  )
}
