'use client'

import { useState, type ReactNode } from 'react'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import type { Box, Run } from '../_graphql/types.ts'
import { AddsUp } from './AddsUp.tsx'
import { AnnotationForm } from './AnnotationForm.tsx'
import { AnnotationLayer } from './AnnotationLayer.tsx'
import { AnnotationList } from './AnnotationList.tsx'
import { BoxFields } from './BoxFields.tsx'
import { FIRST_BOX } from './boxes.ts'
import { ImageStage, type ShownPicture } from './ImageStage.tsx'
import { MapControls } from './MapControls.tsx'
import type { MapDisplay } from './mapDisplay.ts'
import { useMapDisplay } from './useMapDisplay.ts'
import notes from './TextLegend.module.css'
import styles from './Result.module.css'

interface ImageResultProps {
  readonly picture: ShownPicture
  /** Null before there is a result: the picture alone. */
  readonly run: Run | null
  /** Absent on a read-only page. */
  readonly onChanged?: (() => void) | undefined
  /** Under the stage and its controls, shown as the map is. */
  readonly strip?: (display: MapDisplay) => ReactNode
  /** Between the picture's controls and its annotations. */
  readonly children?: ReactNode
}

/** A picture, its map, the controls of its display and its annotations. */
export function ImageResult({ picture, run, onChanged, strip, children }: ImageResultProps) {
  const { display, change } = useMapDisplay()
  const [draft, setDraft] = useState<{ runId: string; box: Box } | null>(null)
  const [focusNote, setFocusNote] = useState(0)
  const [highlighted, setHighlighted] = useState<string | null>(null)
  const map = run?.attribution?.__typename === 'ImageAttribution' ? run.attribution : null
  const drawn = draft !== null && draft.runId === run?.id ? draft.box : null

  function startBox() {
    if (run) setDraft({ runId: run.id, box: FIRST_BOX })
    setFocusNote(0)
  }
  function setBox(box: Box) {
    if (run) setDraft({ runId: run.id, box })
  }
  function stop() {
    setDraft(null)
  }

  const step = (by: number) => () => {
    change({ visible: true, opacity: Math.min(1, Math.max(0, Math.round(display.opacity * 10 + by) / 10)) })
  }
  usePageCommands(
    map
      ? {
          toggleMap: () => {
            change({ visible: !display.visible })
          },
          strongerMap: step(1),
          fainterMap: step(-1),
          ...(onChanged ? { annotate: startBox } : {}),
        }
      : {},
  )

  return (
    <div className={styles['result']}>
      <ImageStage picture={picture} map={map} display={display}>
        <AnnotationLayer
          annotations={run?.annotations ?? []}
          draft={drawn}
          drawing={drawn !== null}
          highlighted={highlighted}
          onDraft={setBox}
          onDone={() => {
            setFocusNote((times) => times + 1)
          }}
          onCancel={stop}
        />
      </ImageStage>
      {map ? <MapControls map={map} display={display} onChange={change} /> : null}
      {run && map?.completeness ? (
        <dl className={notes['notes']}>
          <AddsUp completeness={map.completeness} explained={run.explained.title} />
        </dl>
      ) : null}
      {map ? strip?.(display) : null}
      {children}
      {run && map && (onChanged || run.annotations.length > 0) ? (
        <section className={styles['annotations']} aria-label="Annotations of the picture">
          <div className={styles['sectionHead']}>
            <h2>Annotations</h2>
            {onChanged && !drawn ? (
              <button type="button" data-size="small" onClick={startBox}>
                Draw a box
              </button>
            ) : null}
          </div>
          {drawn && onChanged ? (
            <AnnotationForm
              runId={run.id}
              place={{ box: drawn }}
              focusNote={focusNote}
              about={
                <>
                  <p className={styles['hint']}>
                    Drag on the picture to draw the box. Arrow keys move it, Shift and an arrow key resizes it.
                  </p>
                  <BoxFields box={drawn} onChange={setBox} />
                </>
              }
              onSaved={() => {
                stop()
                onChanged()
              }}
              onCancel={stop}
            />
          ) : null}
          {run.annotations.length === 0 && !drawn ? (
            <p className={styles['hint']}>None yet. Draw a box on the picture and say what is in it.</p>
          ) : null}
          <AnnotationList annotations={run.annotations} onHighlight={setHighlighted} onChanged={onChanged} />
        </section>
      ) : null}
    </div>
  )
}
