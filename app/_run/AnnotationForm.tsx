'use client'

import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useMutation } from 'urql'
import { AnnotateDocument } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import type { Box } from '../_graphql/types.ts'
import { Field } from '../_ui/Field.tsx'
import styles from './Annotations.module.css'

interface AnnotationFormProps {
  readonly runId: string
  readonly place: { readonly box: Box } | { readonly span: { readonly start: number; readonly end: number } }
  /** What is being annotated, shown over the note. */
  readonly about: ReactNode
  /** Moves the focus to the note whenever it changes to another number above 0. */
  readonly focusNote: number
  readonly onSaved: () => void
  readonly onCancel: () => void
}

/** The note for a drawn box or for marked words. */
export function AnnotationForm({ runId, place, about, focusNote, onSaved, onCancel }: AnnotationFormProps) {
  const [note, setNote] = useState('')
  const [saving, annotate] = useMutation(AnnotateDocument)

  const field = useRef<HTMLTextAreaElement>(null)

  useEffect(() => {
    if (focusNote > 0) field.current?.focus()
  }, [focusNote])

  async function save() {
    const result = await annotate({ runId, annotation: { note: note.trim(), ...place } })
    if (result.data) onSaved()
  }

  return (
    <form
      className={styles['form']}
      aria-label="New annotation"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onCancel()
      }}
    >
      {about}
      <Field label="Note" error={saving.error ? sentence(saving.error) : null}>
        {(ids) => (
          <textarea
            {...ids}
            rows={2}
            value={note}
            maxLength={2000}
            placeholder="What is there, and what does it say about the model?"
            ref={field}
            onChange={(event) => {
              setNote(event.target.value)
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && note.trim() !== '') void save()
            }}
          />
        )}
      </Field>
      <div className={styles['buttons']}>
        <button type="submit" data-variant="primary" disabled={note.trim() === '' || saving.fetching}>
          {saving.fetching ? 'Saving…' : 'Save annotation'}
        </button>
        <button type="button" data-variant="quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  )
}
