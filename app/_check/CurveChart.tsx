'use client'

import { useState, type PointerEvent } from 'react'
import type { Evaluation } from '../_graphql/types.ts'
import { significant } from '../_run/format.ts'
import { Legend } from '../_ui/Legend.tsx'
import { curveAxes } from './curveAxes.ts'
import { nearestPoint, pathOf, pointInWords, stopsOf, valueRange, type Frame } from './curves.ts'
import { controlIn } from './standing.ts'
import styles from './CurveChart.module.css'

const WIDTH = 320
const HEIGHT = 160
const FRAME: Frame = { left: 40, right: WIDTH - 8, top: 8, bottom: HEIGHT - 20 }

/** A metric's curve beside that of random attributions; a slider, or the pointer, reads its points. */
export function CurveChart({ evaluation }: { readonly evaluation: Evaluation }) {
  const [chosen, setChosen] = useState<number | null>(null)
  const { curve, metric } = evaluation
  const random = controlIn(evaluation, 'random')?.curve ?? null
  if (curve === null || curve.share.length < 2) return null
  const axes = curveAxes(metric.id)
  const [low, high] = valueRange([...curve.value, ...(random?.value ?? [])])
  const range = { low, high }
  const stops = stopsOf(curve.share)
  const shares = stops.map((stop) => curve.share[stop] ?? 0)
  const at = chosen ?? Math.floor(stops.length / 2)
  const point = stops[at] ?? 0
  const share = shares[at] ?? 0
  const atX = FRAME.left + share * (FRAME.right - FRAME.left)
  const follow = (event: PointerEvent<SVGSVGElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    const across = ((event.clientX - left) / width) * WIDTH
    setChosen(nearestPoint(shares, (across - FRAME.left) / (FRAME.right - FRAME.left)))
  }
  return (
    <figure className={styles['figure']}>
      <figcaption>
        <b>{metric.title}</b>{' '}
        <span>
          {axes.y} over {axes.x}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`}
        aria-hidden="true"
        onPointerMove={follow}
        onPointerDown={follow}
      >
        {[low, high].map((value) => {
          const y = value === low ? FRAME.bottom : FRAME.top
          return (
            <g key={value}>
              <path className={styles['grid']} d={`M${String(FRAME.left)} ${String(y)} H${String(FRAME.right)}`} />
              <text className={styles['tick']} x={FRAME.left - 6} y={y + 4} textAnchor="end">
                {significant(value)}
              </text>
            </g>
          )
        })}
        {[0, 0.5, 1].map((tick) => (
          <text
            key={tick}
            className={styles['tick']}
            x={FRAME.left + tick * (FRAME.right - FRAME.left)}
            y={HEIGHT - 5}
            textAnchor={tick === 0 ? 'start' : tick === 1 ? 'end' : 'middle'}
          >
            {tick * 100} %
          </text>
        ))}
        <path className={styles['cursor']} d={`M${String(atX)} ${String(FRAME.top)} V${String(FRAME.bottom)}`} />
        {random ? <path className={styles['random']} d={pathOf(random, FRAME, range)} /> : null}
        <path className={styles['map']} d={pathOf(curve, FRAME, range)} data-testid="curve" />
      </svg>
      <input
        type="range"
        min={0}
        max={stops.length - 1}
        step={1}
        value={at}
        aria-label={`Point on the curve of ${metric.title}`}
        aria-valuetext={pointInWords(curve, random, point, axes.y)}
        onChange={(event) => {
          setChosen(Number(event.target.value))
        }}
      />
      <p className={styles['reading']} aria-hidden="true">
        {pointInWords(curve, random, point, axes.y)}
      </p>
    </figure>
  )
}

/** @param hasRandom some of the charts have the line of random attributions */
export function CurveLegend({ hasRandom }: { readonly hasRandom: boolean }) {
  const line = (which: 'map' | 'random') => (
    <svg viewBox="0 0 28 8" aria-hidden="true">
      <path className={styles[which]} d="M0 4 H28" />
    </svg>
  )
  const random = hasRandom ? [{ drawn: line('random'), text: 'mean of random ones' }] : []
  return <Legend label="Lines of the curves" entries={[{ drawn: line('map'), text: 'this explanation' }, ...random]} />
}
