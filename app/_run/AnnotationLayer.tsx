'use client'

import { useEffect, useRef, type CSSProperties, type KeyboardEvent, type PointerEvent } from 'react'
import type { Annotation, Box } from '../_graphql/types.ts'
import { clampBox, moveBox, boxBetween } from './boxes.ts'
import styles from './AnnotationLayer.module.css'

interface AnnotationLayerProps {
  readonly annotations: readonly Annotation[]
  /** The box being drawn; null while none is. */
  readonly draft: Box | null
  readonly drawing: boolean
  readonly highlighted: string | null
  readonly onDraft: (box: Box) => void
  readonly onDone: () => void
  readonly onCancel: () => void
}

function place(box: Box): CSSProperties {
  return {
    left: `${String(box.x * 100)}%`,
    top: `${String(box.y * 100)}%`,
    width: `${String(box.width * 100)}%`,
    height: `${String(box.height * 100)}%`,
  }
}

/** The box being drawn; takes the focus, so that the arrow keys work at once. */
function DraftBox({
  box,
  onKeyDown,
}: {
  readonly box: Box
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void
}) {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    element.current?.focus({ preventScroll: true })
  }, [])
  return (
    <div
      ref={element}
      className={styles['draft']}
      style={place(box)}
      role="group"
      aria-roledescription="box"
      aria-label="New box. Arrow keys move it, with Shift they resize it; Enter goes on to the note, Escape drops it."
      tabIndex={0}
      onKeyDown={onKeyDown}
    />
  )
}

/** The boxes over a picture, and the one being drawn: drag with the pointer, or move and resize it with the arrow keys. */
export function AnnotationLayer(props: AnnotationLayerProps) {
  const { annotations, draft, drawing, highlighted, onDraft, onDone, onCancel } = props
  const start = useRef<{ x: number; y: number } | null>(null)

  function pointAt(event: PointerEvent<HTMLElement>) {
    const frame = event.currentTarget.getBoundingClientRect()
    return { x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height }
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    if (!draft) return
    if (event.key === 'Enter') onDone()
    else if (event.key === 'Escape') onCancel()
    else {
      const moved = moveBox(draft, event.key, event.shiftKey)
      if (!moved) return
      onDraft(moved)
    }
    event.preventDefault()
  }

  return (
    <div
      className={styles['layer']}
      data-drawing={drawing}
      onPointerDown={(event) => {
        if (!drawing || event.button !== 0) return
        event.preventDefault()
        event.currentTarget.setPointerCapture(event.pointerId)
        start.current = pointAt(event)
      }}
      onPointerMove={(event) => {
        if (start.current) onDraft(clampBox(boxBetween(start.current, pointAt(event))))
      }}
      onPointerUp={() => {
        if (start.current && draft && draft.width > 0.005 && draft.height > 0.005) onDone()
        start.current = null
      }}
      onPointerCancel={() => {
        start.current = null
      }}
    >
      {annotations.map((annotation, position) =>
        annotation.box ? (
          <div
            key={annotation.id}
            className={styles['box']}
            data-testid="annotation-box"
            data-highlighted={annotation.id === highlighted}
            style={place(annotation.box)}
          >
            <span className={styles['number']} title={annotation.note}>
              {position + 1}
            </span>
          </div>
        ) : null,
      )}
      {draft ? <DraftBox box={draft} onKeyDown={onKeyDown} /> : null}
    </div>
  )
}
