'use client'

import { useEffect, useRef, useState } from 'react'
import { useClient, useMutation, useQuery, useSubscription } from 'urql'
import {
  CancelImportDocument,
  ImportedModelDocument,
  ImportModelDocument,
  ImportUpdatedDocument,
} from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import { uploadModel } from './uploadModel.ts'

const OPEN: readonly string[] = ['QUEUED', 'RUNNING']

/** One import at a time: asked for by name or with files, watched until it has ended, and then looked at. */
export function useImport(onDone: () => void) {
  const client = useClient()
  const [id, setId] = useState<string | null>(null)
  const [sent, setSent] = useState<number | null>(null)
  const [failure, setFailure] = useState<string | null>(null)
  const [asked, ask] = useMutation(ImportModelDocument)
  const stopSending = useRef<(() => void) | null>(null)
  const [live] = useSubscription({ query: ImportUpdatedDocument, variables: { id: id ?? '' }, pause: id === null })
  const known = live.data?.importUpdated
  const current = known?.id === id ? known : null
  const isDone = current?.status === 'DONE'
  const [looked] = useQuery({ query: ImportedModelDocument, variables: { id: id ?? '' }, pause: !isDone })

  useEffect(() => {
    if (isDone) onDone()
  }, [isDone, onDone])

  const begin = () => {
    setFailure(null)
    setId(null)
  }
  return {
    /** null where none was asked for on this page. */
    current,
    /** The models, once the import is done; undefined while they are loaded. */
    models: isDone && looked.data?.modelImport?.id === id ? looked.data.modelImport.models : undefined,
    /** Share of the files that has been sent; null where none are being sent. */
    sent,
    failure: failure ?? (live.error ? sentence(live.error) : null),
    isBusy: asked.fetching || sent !== null || (id !== null && (current === null || OPEN.includes(current.status))),
    byName: async (name: string, revision: string) => {
      begin()
      const result = await ask({ name, revision: revision === '' ? null : revision })
      if (result.error) setFailure(sentence(result.error))
      else if (result.data) setId(result.data.importModel.id)
    },
    withFiles: async (files: readonly File[]) => {
      begin()
      setSent(0)
      const upload = uploadModel(files, setSent)
      stopSending.current = upload.abort
      try {
        setId(await upload.done)
      } catch (thrown) {
        setFailure(thrown instanceof Error ? thrown.message : String(thrown))
      } finally {
        setSent(null)
        stopSending.current = null
      }
    },
    cancel: () => {
      stopSending.current?.()
      if (id !== null) void client.mutation(CancelImportDocument, { id }).toPromise()
    },
  }
}
