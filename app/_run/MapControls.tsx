'use client'

import type { ImageAttribution } from '../_graphql/types.ts'
import { Segmented } from '../_ui/Segmented.tsx'
import { DIVERGING, DIVERGING_NAMES, SEQUENTIAL, SEQUENTIAL_NAMES, strip } from './colourScales.ts'
import { significant } from './format.ts'
import { displayRange } from './mapValues.ts'
import { overlayAddress } from './overlayAddress.ts'
import { scaleOf, type MapDisplay } from './useMapDisplay.ts'
import styles from './MapControls.module.css'

interface MapControlsProps {
  readonly map: ImageAttribution
  readonly display: MapDisplay
  readonly onChange: (part: Partial<MapDisplay>) => void
}

/** How the map is shown, what its colours mean, and the files to take away. */
export function MapControls({ map, display, onChange }: MapControlsProps) {
  const [low, high] = displayRange(map, display.rectified)
  const scale = scaleOf(display)
  const opacityPercent = Math.round(display.opacity * 100)
  return (
    <div className={styles['controls']}>
      <label className={styles['control']}>
        <span>Opacity</span>
        <input
          type="range"
          aria-label="Opacity of the map"
          min={0}
          max={100}
          step={1}
          value={display.visible ? opacityPercent : 0}
          aria-valuetext={`${String(opacityPercent)} percent`}
          onChange={(event) => {
            onChange({ opacity: event.target.valueAsNumber / 100, visible: true })
          }}
        />
        <output className={styles['number']}>{display.visible ? `${String(opacityPercent)} %` : 'off'}</output>
      </label>
      <label className={styles['control']}>
        <span>Colours</span>
        <select
          aria-label="Colours of the map"
          value={scale.name}
          onChange={(event) => {
            const sequential = SEQUENTIAL_NAMES.find((name) => name === event.target.value)
            const diverging = DIVERGING_NAMES.find((name) => name === event.target.value)
            onChange({ ...(sequential ? { sequential } : {}), ...(diverging ? { diverging } : {}) })
          }}
        >
          {display.rectified
            ? SEQUENTIAL_NAMES.map((name) => (
                <option key={name} value={name}>
                  {SEQUENTIAL[name].label}
                </option>
              ))
            : DIVERGING_NAMES.map((name) => (
                <option key={name} value={name}>
                  {DIVERGING[name].label}
                </option>
              ))}
        </select>
      </label>
      {map.signed ? (
        <Segmented
          label="Which evidence to show"
          options={[
            { value: 'rectified', label: 'For the class' },
            { value: 'raw', label: 'For and against' },
          ]}
          value={display.rectified ? 'rectified' : 'raw'}
          onChange={(value) => {
            onChange({ rectified: value === 'rectified' })
          }}
        />
      ) : null}
      <div
        className={styles['legend']}
        role="img"
        aria-label={`The scale runs from ${significant(low)} to ${significant(high)}`}
      >
        <span>{significant(low)}</span>
        <span className={styles['strip']} style={{ background: strip(scale.info) }} />
        <span>{significant(high)}</span>
      </div>
      <div className={styles['downloads']}>
        <a
          href={overlayAddress(map.overlayUrl, {
            view: 'overlay',
            colormap: scale.name,
            rectify: display.rectified,
            opacity: display.opacity,
          })}
          download="limelight-overlay.png"
        >
          PNG
        </a>
        <a href={map.npyUrl} download="limelight-map.npy" title="Raw values, float32">
          .npy
        </a>
      </div>
    </div>
  )
}
