'use client'

import { useId } from 'react'
import { useQuery } from 'urql'
import { EvaluationsOfSharedRunDocument } from '../_graphql/generated/graphql.ts'
import { Judgements } from './Judgements.tsx'
import styles from './Check.module.css'

/** What was found of a shared run, to read. */
export function SharedCheck({ token }: { readonly token: string }) {
  const headingId = useId()
  const [{ data }] = useQuery({ query: EvaluationsOfSharedRunDocument, variables: { token } })
  const evaluations = data?.sharedRun?.evaluations ?? []
  if (!evaluations.some(({ status }) => status === 'DONE')) return null
  return (
    <section className={styles['check']} aria-labelledby={headingId}>
      <h2 id={headingId}>Check</h2>
      <Judgements evaluations={evaluations} annotations={null} />
    </section>
  )
}
