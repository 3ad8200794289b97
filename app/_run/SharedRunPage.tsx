'use client'

import { useQuery } from 'urql'
import { SharedCheck } from '../_check/SharedCheck.tsx'
import { SharedRunDocument } from '../_graphql/generated/graphql.ts'
import { LoadFailure } from '../_graphql/LoadFailure.tsx'
import { Message } from '../_ui/Message.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { RunBody } from './RunBody.tsx'
import { RunTitle } from './RunTitle.tsx'
import styles from './RunPage.module.css'

/** A run behind a sharing link: everything to see, nothing to change. */
export function SharedRunPage({ token }: { readonly token: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({ query: SharedRunDocument, variables: { token } })
  const run = data?.sharedRun
  if (run) {
    return (
      <article className={styles['page']}>
        <header className={styles['head']}>
          <RunTitle run={run} />
        </header>
        <RunBody run={run} check={<SharedCheck token={token} />} />
      </article>
    )
  }
  if (error) {
    return (
      <LoadFailure
        error={error}
        onRetry={() => {
          refetch({ requestPolicy: 'network-only' })
        }}
      />
    )
  }
  if (fetching || !data) return <Progress label="Loading the shared run…" />
  return (
    <Message title="This link does not work">
      <p>It may have expired, been taken back, or been copied only in part. Ask whoever sent it for a new one.</p>
    </Message>
  )
}
