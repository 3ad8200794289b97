'use client'

import { useState, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react'
import type { ImageAttribution } from '../_graphql/types.ts'
import { cell, cellAt, cellBox, strongestCell, type Cell } from './mapValues.ts'
import { significant } from './format.ts'
import { overlayAddress } from './overlayAddress.ts'
import { chosenColours, type MapDisplay } from './mapDisplay.ts'
import styles from './ImageStage.module.css'

export interface ShownPicture {
  readonly url: string
  readonly width: number
  readonly height: number
  readonly alt: string
}

interface ImageStageProps {
  readonly picture: ShownPicture
  readonly map: ImageAttribution | null
  readonly display: MapDisplay
  /** Laid over the picture, in fractions of it. */
  readonly children?: ReactNode
}

/** The picture with the map over it. Pointing at it, or moving over it with the arrow keys, reads the map. */
export function ImageStage({ picture, map, display, children }: ImageStageProps) {
  const [read, setRead] = useState<Cell | null>(null)
  const shown = map ? read : null

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    if (!map || event.target !== event.currentTarget) return
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key]
    if (event.key === 'Escape') setRead(null)
    if (!step) return
    event.preventDefault()
    const [rows = 0, columns = 0] = step
    setRead((before) =>
      before ? (cell(map, before.row + rows, before.column + columns) ?? before) : strongestCell(map),
    )
  }

  const frame = { '--ratio': String(picture.width / picture.height) } as CSSProperties
  return (
    <figure className={styles['figure']}>
      <div className={styles['bed']}>
        <div
          className={styles['frame']}
          style={frame}
          role="group"
          aria-label={map ? 'Picture with its map. Arrow keys read the values of the map.' : 'Picture'}
          tabIndex={map ? 0 : -1}
          onKeyDown={onKeyDown}
          onPointerMove={(event) => {
            if (!map) return
            const box = event.currentTarget.getBoundingClientRect()
            setRead(cellAt(map, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height))
          }}
          onPointerLeave={() => {
            setRead(null)
          }}
          onBlur={() => {
            setRead(null)
          }}
        >
          {/* The files are the user's own, already bounded; an image optimiser would only delay them. */}
          <img className={styles['picture']} src={picture.url} alt={picture.alt} draggable={false} />
          {map ? (
            <img
              className={styles['map']}
              data-testid="map"
              src={overlayAddress(map.overlayUrl, {
                view: 'heat',
                colormap: chosenColours(display),
                rectify: display.rectified,
              })}
              alt=""
              draggable={false}
              style={{ opacity: display.visible ? display.opacity : 0 }}
            />
          ) : null}
          {map && shown ? <CellOutline map={map} read={shown} /> : null}
          {children}
        </div>
      </div>
      {map ? (
        <figcaption className={styles['readout']} aria-live="polite">
          {shown ? (
            <>
              Value <b>{significant(shown.value)}</b> at row {shown.row + 1}, column {shown.column + 1} of {map.height}{' '}
              × {map.width}
            </>
          ) : (
            <span>Point at the picture to read the map, or focus it and use the arrow keys.</span>
          )}
        </figcaption>
      ) : null}
    </figure>
  )
}

function CellOutline({ map, read }: { readonly map: ImageAttribution; readonly read: Cell }) {
  const box = cellBox(map, read)
  return (
    <div
      className={styles['cell']}
      style={{
        left: `${String(box.x * 100)}%`,
        top: `${String(box.y * 100)}%`,
        width: `${String(box.width * 100)}%`,
        height: `${String(box.height * 100)}%`,
      }}
    />
  )
}
