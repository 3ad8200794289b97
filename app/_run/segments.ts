/**
 * A text cut along its spans so that the pieces joined are the text again, to the last character.
 * Offsets count Unicode code points, as everywhere in the API.
 */
import type { Span } from '../_graphql/types.ts'

export interface Segment {
  readonly text: string
  /** Code points. */
  readonly start: number
  readonly end: number
  /** Null between spans: spaces, and whatever the model did not read. */
  readonly span: Span | null
}

export function segment(text: string, spans: readonly Span[]): readonly Segment[] {
  const points = Array.from(text)
  const ordered = spans.filter((span) => !span.special && span.end > span.start).sort((a, b) => a.start - b.start)
  const segments: Segment[] = []
  let position = 0
  function gapUntil(end: number) {
    if (end > position) {
      segments.push({ text: points.slice(position, end).join(''), start: position, end, span: null })
    }
  }
  for (const span of ordered) {
    if (span.start < position) continue // two tokens on the same characters: the first one shows them
    gapUntil(span.start)
    segments.push({ text: points.slice(span.start, span.end).join(''), start: span.start, end: span.end, span })
    position = span.end
  }
  gapUntil(points.length)
  return segments
}

/** The largest absolute score, for the colour scale; 1 where all are zero. */
export function scoreReach(spans: readonly Span[]): number {
  return spans.filter((span) => !span.special).reduce((reach, { score }) => Math.max(reach, Math.abs(score)), 0) || 1
}

/** The code points that a selection covers inside an element, or null where it covers none of it. */
export function selectedRange(element: HTMLElement): { start: number; end: number } | null {
  const selection = window.getSelection()
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null
  const range = selection.getRangeAt(0)
  if (!element.contains(range.startContainer) || !element.contains(range.endContainer)) return null
  const before = document.createRange()
  before.selectNodeContents(element)
  before.setEnd(range.startContainer, range.startOffset)
  const start = Array.from(before.toString()).length
  const end = start + Array.from(range.toString()).length
  return end > start ? { start, end } : null
}
