'use client'

import { useQuery } from 'urql'
import { ModelNotesDocument } from '../_graphql/generated/graphql.ts'
import { Notice } from '../_ui/Notice.tsx'

/** What must be known of how a model is understood, once it is loaded; nothing while it is, or where it cannot be. */
export function ModelNotes({ id }: { readonly id: string }) {
  const [{ data }] = useQuery({ query: ModelNotesDocument, variables: { id } })
  return data?.model?.notes?.map((note) => (
    <Notice key={note} tone="warning">
      {note}
    </Notice>
  ))
}
