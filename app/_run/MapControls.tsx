'use client'

import type { ImageAttribution } from '../_graphql/types.ts'
import { Segmented } from '../_ui/Segmented.tsx'
import { significant } from './format.ts'
import { displayRange } from './mapValues.ts'
import { overlayAddress } from './overlayAddress.ts'
import { chosenColours, kindOf, strip, type MapDisplay } from './mapDisplay.ts'
import { useColourMaps } from './useMapDisplay.ts'
import styles from './MapControls.module.css'

interface MapControlsProps {
  readonly map: ImageAttribution
  readonly display: MapDisplay
  readonly onChange: (part: Partial<MapDisplay>) => void
}

/** How the map is shown, what its colours mean, and the files to take away. */
export function MapControls({ map, display, onChange }: MapControlsProps) {
  const [low, high] = displayRange(map, display.rectified)
  const { fitting, used } = useColourMaps(display)
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
          value={used?.id ?? ''}
          onChange={(event) => {
            onChange({ chosen: { ...display.chosen, [kindOf(display)]: event.target.value } })
          }}
        >
          {fitting.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
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
        <span className={styles['strip']} style={{ background: strip(used) }} />
        <span>{significant(high)}</span>
      </div>
      <div className={styles['downloads']}>
        <a
          href={overlayAddress(map.overlayUrl, {
            view: 'overlay',
            colormap: chosenColours(display),
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
