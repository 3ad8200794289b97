'use client'

import Link from 'next/link'
import { useRef, useState } from 'react'
import { useQuery } from 'urql'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import { HistoryDocument, type HistoryQueryVariables } from '../_graphql/generated/graphql.ts'
import { LoadFailure } from '../_graphql/LoadFailure.tsx'
import { count } from '../_run/format.ts'
import { DeleteRunDialog } from '../_run/DeleteRunDialog.tsx'
import { Message } from '../_ui/Message.tsx'
import { HistoryFilters, type Filters } from './HistoryFilters.tsx'
import { HistoryRow } from './HistoryRow.tsx'
import styles from './History.module.css'

const PAGE = 20
const NO_FILTERS: Filters = {}

function HistoryPage(props: {
  readonly variables: HistoryQueryVariables
  readonly isLast: boolean
  readonly isFiltered: boolean
  readonly onMore: (after: string) => void
  readonly onDelete: (id: string) => void
  readonly onReset: () => void
}) {
  const { variables, isLast, isFiltered, onMore, onDelete, onReset } = props
  const [{ data, error, fetching }, refetch] = useQuery({
    query: HistoryDocument,
    variables,
    requestPolicy: 'cache-and-network',
  })
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
  if (!data) return <p className={styles['quiet']}>{fetching ? 'Loading the history…' : ''}</p>
  const { edges, pageInfo, totalCount } = data.runs
  if (totalCount === 0) {
    return isFiltered ? (
      <p className={styles['quiet']}>
        No run fits these filters.{' '}
        <button type="button" data-size="small" onClick={onReset}>
          Show all runs
        </button>
      </p>
    ) : (
      <Message title="No runs yet">
        <p>
          Every explanation is kept here. Start with <Link href="/photo">a photo</Link> or{' '}
          <Link href="/review">a review</Link>.
        </p>
      </Message>
    )
  }
  return (
    <>
      {variables.after === null ? (
        <p className={styles['total']} role="status">
          {totalCount === 1 ? 'One run' : `${count(totalCount)} runs`}
        </p>
      ) : null}
      <ul className={styles['list']} aria-label="Runs">
        {edges.map(({ node }) => (
          <HistoryRow key={node.id} run={node} onDelete={onDelete} />
        ))}
      </ul>
      {isLast && pageInfo.hasNextPage && pageInfo.endCursor ? (
        <button
          type="button"
          className={styles['more']}
          onClick={() => {
            if (pageInfo.endCursor) onMore(pageInfo.endCursor)
          }}
        >
          Load more
        </button>
      ) : null}
    </>
  )
}

/** Every run, newest first. */
export function HistoryList() {
  const [filters, setFilters] = useState<Filters>(NO_FILTERS)
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null])
  const [deleting, setDeleting] = useState<string | null>(null)
  const search = useRef<HTMLInputElement>(null)

  function filter(next: Filters) {
    setFilters(next)
    setCursors([null])
  }
  usePageCommands({ search: () => search.current?.focus() })

  return (
    <div className={styles['history']}>
      <h1>History</h1>
      <HistoryFilters filters={filters} onChange={filter} searchRef={search} />
      {cursors.map((after, position) => (
        <HistoryPage
          key={`${after ?? 'first'} ${JSON.stringify(filters)}`}
          variables={{ ...filters, first: PAGE, after }}
          isLast={position === cursors.length - 1}
          isFiltered={Object.values(filters).some((value) => value !== undefined)}
          onMore={(next) => {
            setCursors((before) => [...before, next])
          }}
          onDelete={setDeleting}
          onReset={() => {
            filter(NO_FILTERS)
          }}
        />
      ))}
      {deleting ? (
        <DeleteRunDialog
          runId={deleting}
          onClose={() => {
            setDeleting(null)
          }}
          onDeleted={() => {
            setDeleting(null)
          }}
        />
      ) : null}
    </div>
  )
}
