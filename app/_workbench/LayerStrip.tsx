'use client'

import { Fragment, useEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react'
import { chosenColours, type MapDisplay } from '../_run/mapDisplay.ts'
import { overlayAddress } from '../_run/overlayAddress.ts'
import type { ShownPicture } from '../_run/ImageStage.tsx'
import { RunStatusLine } from './RunStatusLine.tsx'
import type { StripTile } from './stripTiles.ts'
import type { LayerStripState } from './useLayerStrip.ts'
import styles from './LayerStrip.module.css'

/** Of a thumbnail's longer side, for screens of two pixels a point. */
const THUMBNAIL_PIXELS = 192

interface LayerStripProps {
  readonly strip: LayerStripState
  readonly picture: ShownPicture
  readonly display: MapDisplay
  /** The layer on the stage. */
  readonly current: string | null
}

/** Under the stage: one small map a layer, in network order, once they are asked for. */
export function LayerStrip({ strip, picture, display, current }: LayerStripProps) {
  const { offered, tiles, pending, failure } = strip
  if (!offered) return null
  return (
    <div className={styles['strip']}>
      {tiles.length > 0 ? (
        <Tiles tiles={tiles} picture={picture} display={display} current={current} onChoose={strip.choose} />
      ) : null}
      {pending || failure ? (
        <RunStatusLine
          state={{ pending, failure }}
          over={false}
          subject="All layers"
          onCancel={strip.cancel}
          onRetry={strip.ask}
        />
      ) : null}
      {tiles.length === 0 && !pending && !failure ? (
        <p className={styles['offer']}>
          <button type="button" data-size="small" onClick={strip.ask}>
            All layers
          </button>
          <span>One small map a layer, from the picture to the class.</span>
        </p>
      ) : null}
    </div>
  )
}

interface TilesProps extends Omit<LayerStripProps, 'strip'> {
  readonly tiles: readonly StripTile[]
  readonly onChoose: (layer: string) => void
}

const nameOf = ({ label, remark }: StripTile): string => (remark === '' ? label : `${label}: ${remark}`)

/** A module's name, which may go on in a second line behind a separator. */
function broken(label: string): ReactNode {
  return label.split(/(?<=[_./])/).map((part, at) => (
    <Fragment key={at}>
      {at > 0 ? <wbr /> : null}
      {part}
    </Fragment>
  ))
}

/** One stop of the Tab key; arrow keys move along. */
function Tiles({ tiles, picture, display, current, onChoose }: TilesProps) {
  const list = useRef<HTMLOListElement>(null)
  const [stop, setStop] = useState<string | null>(null)
  const entry = [stop, current].find((layer) => tiles.some((tile) => tile.layer === layer)) ?? tiles[0]?.layer

  // The chosen layer is in sight; the page itself does not move.
  useEffect(() => {
    const [strip, tile] = [list.current, list.current?.querySelector<HTMLElement>('[aria-pressed="true"]')]
    if (strip && tile) strip.scrollLeft = tile.offsetLeft - (strip.clientWidth - tile.offsetWidth) / 2
  }, [current])

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    const at = tiles.findIndex(({ layer }) => layer === entry)
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tiles.length - 1 }[event.key]
    const tile = next === undefined ? undefined : tiles[Math.min(tiles.length - 1, Math.max(0, next))]
    if (tile === undefined) return
    event.preventDefault()
    setStop(tile.layer)
    list.current?.querySelectorAll('button')[tiles.indexOf(tile)]?.focus()
  }

  const frame = { '--ratio': String(picture.width / picture.height) } as CSSProperties
  return (
    <ol
      ref={list}
      className={styles['tiles']}
      aria-label="All layers, in network order"
      style={frame}
      onKeyDown={onKeyDown}
    >
      {tiles.map((tile) => (
        <li key={tile.layer}>
          <button
            type="button"
            className={styles['tile']}
            title={nameOf(tile)}
            aria-label={nameOf(tile)}
            aria-pressed={tile.layer === current}
            aria-disabled={tile.overlayUrl === null}
            tabIndex={tile.layer === entry ? 0 : -1}
            onFocus={() => {
              setStop(tile.layer)
            }}
            onClick={() => {
              if (tile.overlayUrl !== null) onChoose(tile.layer)
            }}
          >
            <span className={styles['frame']}>
              <img src={picture.url} alt="" draggable={false} />
              {tile.overlayUrl === null ? null : (
                <img
                  src={overlayAddress(tile.overlayUrl, {
                    view: 'heat',
                    colormap: chosenColours(display),
                    rectify: display.rectified,
                    size: THUMBNAIL_PIXELS,
                  })}
                  alt=""
                  loading="lazy"
                  draggable={false}
                  style={{ opacity: display.opacity }}
                />
              )}
            </span>
            <span className={styles['label']}>{broken(tile.label)}</span>
          </button>
        </li>
      ))}
    </ol>
  )
}
