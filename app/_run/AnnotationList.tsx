'use client'

import { useMutation } from 'urql'
import { DeleteAnnotationDocument } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import type { Annotation } from '../_graphql/types.ts'
import { Notice } from '../_ui/Notice.tsx'
import { when } from './format.ts'
import styles from './Annotations.module.css'

interface AnnotationListProps {
  readonly annotations: readonly Annotation[]
  readonly onHighlight: (id: string | null) => void
  /** Absent on a read-only page. */
  readonly onChanged?: (() => void) | undefined
}

/** The notes on a run, numbered as on the picture or in the text. */
export function AnnotationList({ annotations, onHighlight, onChanged }: AnnotationListProps) {
  const [removing, remove] = useMutation(DeleteAnnotationDocument)
  if (annotations.length === 0) return null
  return (
    <>
      {removing.error ? <Notice tone="error">{sentence(removing.error)}</Notice> : null}
      <ol className={styles['list']} aria-label="Annotations">
        {annotations.map((annotation, position) => (
          <li
            key={annotation.id}
            onPointerEnter={() => {
              onHighlight(annotation.id)
            }}
            onPointerLeave={() => {
              onHighlight(null)
            }}
          >
            <span className={styles['position']} aria-hidden="true">
              {position + 1}
            </span>
            <div className={styles['note']}>
              {annotation.span ? <q>{annotation.span.text}</q> : null}
              <p>{annotation.note}</p>
            </div>
            <time dateTime={annotation.createdAt}>{when(annotation.createdAt)}</time>
            {onChanged ? (
              <button
                type="button"
                data-variant="quiet"
                data-size="small"
                aria-label={`Delete annotation ${String(position + 1)}: ${annotation.note}`}
                onClick={() => {
                  void remove({ id: annotation.id }).then((result) => {
                    if (!result.error) onChanged()
                  })
                }}
              >
                Delete
              </button>
            ) : null}
          </li>
        ))}
      </ol>
    </>
  )
}
