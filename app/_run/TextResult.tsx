'use client'

import { useState, type ReactNode } from 'react'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import type { Run } from '../_graphql/types.ts'
import { Segmented } from '../_ui/Segmented.tsx'
import { AnnotationForm } from './AnnotationForm.tsx'
import { AnnotationList } from './AnnotationList.tsx'
import { TextLegend, TextNotes } from './TextLegend.tsx'
import { TextStage, type MarkedRange } from './TextStage.tsx'
import styles from './Result.module.css'

interface TextResultProps {
  readonly run: Run
  /** Absent on a read-only page. */
  readonly onChanged?: (() => void) | undefined
  readonly children?: ReactNode
}

/** An explained review: coloured text, legend, special tokens, completeness and annotations. */
export function TextResult({ run, onChanged, children }: TextResultProps) {
  const [unit, setUnit] = useState<'words' | 'tokens'>('words')
  const [mark, setMark] = useState<{ runId: string; range: MarkedRange } | null>(null)
  const [focusNote, setFocusNote] = useState(0)
  const [highlighted, setHighlighted] = useState<string | null>(null)
  const attribution = run.attribution?.__typename === 'TextAttribution' ? run.attribution : null
  const text = run.text ?? ''
  const marked = mark?.runId === run.id ? mark.range : null

  usePageCommands(
    attribution
      ? {
          toggleWords: () => {
            setUnit(unit === 'words' ? 'tokens' : 'words')
          },
          ...(onChanged && marked
            ? {
                annotate: () => {
                  setFocusNote((times) => times + 1)
                },
              }
            : {}),
        }
      : {},
  )
  if (!attribution) return <>{children}</>
  const { signed } = run.method

  return (
    <div className={styles['result']}>
      <div className={styles['textControls']}>
        <Segmented
          label="Unit of the scores"
          options={[
            { value: 'words', label: 'Words' },
            { value: 'tokens', label: 'Tokens' },
          ]}
          value={unit}
          onChange={setUnit}
        />
        <TextLegend attribution={attribution} unit={unit} signed={signed} label={run.target?.label} />
      </div>
      <TextStage
        text={text}
        attribution={attribution}
        unit={unit}
        signed={signed}
        truncated={run.diagnoses.some(({ code }) => code === 'INPUT_TRUNCATED')}
        annotations={run.annotations}
        highlighted={highlighted}
        marked={marked}
        onMark={
          onChanged
            ? (range) => {
                setMark(range ? { runId: run.id, range } : null)
                setFocusNote(0)
              }
            : undefined
        }
      />
      <TextNotes attribution={attribution} signed={signed} explained={run.explained.title} />
      {children}
      {onChanged || run.annotations.length > 0 ? (
        <section className={styles['annotations']} aria-label="Annotations of the review">
          <h2>Annotations</h2>
          {marked && onChanged ? (
            <AnnotationForm
              runId={run.id}
              place={{ span: { start: marked.start, end: marked.end } }}
              focusNote={focusNote}
              about={
                <p className={styles['quote']}>
                  <q>{Array.from(text).slice(marked.start, marked.end).join('')}</q>
                </p>
              }
              onSaved={() => {
                setMark(null)
                window.getSelection()?.removeAllRanges()
                onChanged()
              }}
              onCancel={() => {
                setMark(null)
              }}
            />
          ) : null}
          {onChanged && run.annotations.length === 0 && !marked ? (
            <p className={styles['hint']}>
              None yet. Select words in the text, or hold Shift with an arrow key there, and say what you see.
            </p>
          ) : null}
          <AnnotationList annotations={run.annotations} onHighlight={setHighlighted} onChanged={onChanged} />
        </section>
      ) : null}
    </div>
  )
}
