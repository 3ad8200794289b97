'use client'

import { useMemo, useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent } from 'react'
import type { Annotation, Span, TextAttribution } from '../_graphql/types.ts'
import { signedValue, significant } from './format.ts'
import { scoreReach, segment, selectedRange, type Segment } from './segments.ts'
import styles from './TextStage.module.css'

export interface MarkedRange {
  readonly start: number
  readonly end: number
}

interface TextStageProps {
  readonly text: string
  readonly attribution: TextAttribution
  readonly unit: 'words' | 'tokens'
  readonly signed: boolean
  /** The model did not read all of it. */
  readonly truncated: boolean
  readonly annotations: readonly Annotation[]
  readonly highlighted: string | null
  /** Words being marked, in code points. */
  readonly marked: MarkedRange | null
  /** Absent on a read-only page. */
  readonly onMark?: ((range: MarkedRange | null) => void) | undefined
}

function colour(score: number, reach: number, signed: boolean): CSSProperties {
  const share = Math.min(1, Math.abs(score) / reach)
  if (share < 0.02) return {}
  const hue = signed ? (score > 0 ? '--for' : '--against') : '--strength'
  return { backgroundColor: `color-mix(in oklab, var(${hue}) ${String(Math.round(share * 90))}%, transparent)` }
}

function covers(range: MarkedRange, piece: Segment): boolean {
  return range.start < piece.end && range.end > piece.start
}

/**
 * The review exactly as it was typed, each word or token on the colour of its score. Point at one, or move with the arrow keys,
 * to read the score; Shift and an arrow key marks words, as selecting them does.
 */
export function TextStage(props: TextStageProps) {
  const { text, attribution, unit, signed, truncated, annotations, highlighted, marked, onMark } = props
  const spans = unit === 'words' ? attribution.words : attribution.tokens
  const segments = useMemo(() => segment(text, spans), [text, spans])
  const pieces = useMemo(() => segments.filter((piece) => piece.span !== null), [segments])
  const positions = useMemo(() => new Map(pieces.map((piece, position) => [piece, position])), [pieces])
  const reach = useMemo(() => scoreReach(spans), [spans])
  const [pointed, setPointed] = useState<Span | null>(null)
  const [active, setActive] = useState(0)
  const anchor = useRef<number | null>(null)
  const container = useRef<HTMLDivElement>(null)
  const [dragged, setDragged] = useState<MarkedRange | null>(null)
  const drag = useRef<{ from: number; range: MarkedRange | null } | null>(null)
  const current = Math.min(active, Math.max(0, pieces.length - 1))

  function move(event: KeyboardEvent<HTMLElement>) {
    const target = {
      ArrowLeft: current - 1,
      ArrowRight: current + 1,
      Home: 0,
      End: pieces.length - 1,
    }[event.key]
    if (event.key === 'Escape') onMark?.(null)
    if (target === undefined) return
    event.preventDefault()
    const next = Math.min(pieces.length - 1, Math.max(0, target))
    if (event.shiftKey && onMark) {
      anchor.current ??= current
      const first = pieces[Math.min(anchor.current, next)]
      const last = pieces[Math.max(anchor.current, next)]
      if (first && last) onMark({ start: first.start, end: last.end })
    } else {
      anchor.current = null
    }
    setActive(next)
    container.current?.querySelector<HTMLElement>(`[data-piece="${String(next)}"]`)?.focus()
  }

  /** Words under a drag of the mouse are marked where it ends, in the text or outside. */
  function startDrag(event: PointerEvent<HTMLElement>, position: number) {
    if (!onMark || event.pointerType !== 'mouse' || event.button !== 0) return
    drag.current = { from: position, range: null }
    const end = () => {
      const range = drag.current?.range ?? null
      drag.current = null
      setDragged(null)
      if (range) onMark(range)
    }
    window.addEventListener('pointerup', end, { once: true })
  }

  function dragTo(position: number) {
    if (!drag.current) return
    const first = pieces[Math.min(drag.current.from, position)]
    const last = pieces[Math.max(drag.current.from, position)]
    if (!first || !last) return
    drag.current.range = { start: first.start, end: last.end }
    setDragged(drag.current.range)
  }

  return (
    <div className={styles['stage']}>
      <div
        ref={container}
        className={styles['text']}
        role="listbox"
        aria-orientation="horizontal"
        aria-multiselectable={onMark ? true : undefined}
        aria-label={`The review in ${unit} with their scores`}
        data-testid="review-text"
        onKeyDown={move}
        onPointerUp={() => {
          if (!onMark || !container.current || drag.current?.range) return
          const range = selectedRange(container.current)
          if (range) onMark(range)
        }}
        onPointerLeave={() => {
          setPointed(null)
        }}
      >
        {segments.map((piece) => {
          const note = annotations.find(({ span }) => span && covers(span, piece))
          const shown = dragged ?? marked
          const isMarked = shown !== null && covers(shown, piece)
          const state = {
            'data-marked': isMarked || undefined,
            'data-noted': note !== undefined || undefined,
            'data-highlighted': (note !== undefined && note.id === highlighted) || undefined,
          }
          const { span } = piece
          if (!span) {
            const unread = truncated && piece.text.trim() !== ''
            return (
              <span key={piece.start} data-unread={unread || undefined} {...state}>
                {piece.text}
              </span>
            )
          }
          const position = positions.get(piece) ?? 0
          return (
            <span
              key={piece.start}
              className={styles['piece']}
              role="option"
              aria-selected={isMarked}
              aria-label={`${piece.text}: ${signed ? signedValue(span.score) : significant(span.score)}`}
              data-piece={position}
              tabIndex={position === current ? 0 : -1}
              style={colour(span.score, reach, signed)}
              onPointerDown={(event) => {
                startDrag(event, position)
              }}
              onPointerEnter={() => {
                setPointed(span)
                dragTo(position)
              }}
              onFocus={() => {
                setActive(position)
                setPointed(span)
              }}
              onBlur={() => {
                setPointed(null)
              }}
              {...state}
            >
              {piece.text}
            </span>
          )
        })}
      </div>
      <p className={styles['readout']} aria-hidden="true" data-testid="score-readout">
        {pointed ? (
          <>
            <q>{pointed.text}</q> <b>{signed ? signedValue(pointed.score) : significant(pointed.score)}</b>
          </>
        ) : (
          <span>
            Point at a {unit === 'words' ? 'word' : 'token'} to read its score, or tab to the text and use the arrow
            keys.
          </span>
        )}
      </p>
    </div>
  )
}
