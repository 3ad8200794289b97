import { Legend } from '../_ui/Legend.tsx'
import type { Scale } from './scale.ts'
import styles from './ControlScale.module.css'

const WIDTH = 200
const HEIGHT = 26
const EDGE = 8
const MIDDLE = HEIGHT / 2

function x(position: number): number {
  return EDGE + position * (WIDTH - 2 * EDGE)
}

type Mark = 'map' | 'random' | 'uniform' | 'edges'

/** Each mark has a shape of its own: colour is never the only sign. */
function Shape({ mark, at }: { readonly mark: Mark; readonly at: number }) {
  switch (mark) {
    case 'map':
      return <path className={styles['map']} d={`M${String(at)} ${String(MIDDLE - 7)} l7 7 -7 7 -7 -7 z`} />
    case 'random':
      return <path className={styles['random']} d={`M${String(at)} ${String(MIDDLE - 6)} v12`} />
    case 'uniform':
      return <rect className={styles['hollow']} x={at - 4} y={MIDDLE - 4} width="8" height="8" />
    case 'edges':
      return <path className={styles['hollow']} d={`M${String(at)} ${String(MIDDLE - 5)} l5.5 9.5 h-11 z`} />
  }
}

/** Worse on the left, better on the right, whichever way the metric's numbers run. The numbers stand beside it as text. */
export function ControlScale({ scale }: { readonly scale: Scale }) {
  const { value, interval, random, uniform, edges } = scale
  return (
    <svg className={styles['scale']} viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} aria-hidden="true">
      <path className={styles['axis']} d={`M${String(EDGE)} ${String(MIDDLE)} H${String(WIDTH - EDGE)}`} />
      {random?.single ? (
        <path
          className={styles['single']}
          d={`M${String(x(random.single.low))} ${String(MIDDLE)} H${String(x(random.single.high))}`}
        />
      ) : null}
      {random?.interval ? (
        <rect
          className={styles['interval']}
          x={x(random.interval.low)}
          y={MIDDLE - 4}
          width={Math.max(1, x(random.interval.high) - x(random.interval.low))}
          height="8"
        />
      ) : null}
      {random ? <Shape mark="random" at={x(random.mean)} /> : null}
      {uniform === null ? null : <Shape mark="uniform" at={x(uniform)} />}
      {edges === null ? null : <Shape mark="edges" at={x(edges)} />}
      {interval ? (
        <path
          className={styles['own']}
          d={`M${String(x(interval.low))} ${String(MIDDLE)} H${String(x(interval.high))}`}
        />
      ) : null}
      <Shape mark="map" at={x(value)} />
    </svg>
  )
}

const LEGEND: readonly { readonly mark: Mark; readonly text: string }[] = [
  { mark: 'map', text: 'this explanation' },
  { mark: 'random', text: 'random, with the 95 % interval of its mean; the thin bar is where single random ones lie' },
  { mark: 'uniform', text: 'the same everywhere' },
  { mark: 'edges', text: 'edges of the picture' },
]

export function ScaleLegend({ hasEdges }: { readonly hasEdges: boolean }) {
  return (
    <Legend
      label="Marks on the scales"
      entries={[
        ...LEGEND.filter(({ mark }) => mark !== 'edges' || hasEdges).map(({ mark, text }) => ({
          drawn: (
            <svg viewBox={`0 0 20 ${String(HEIGHT)}`} aria-hidden="true">
              <Shape mark={mark} at={10} />
            </svg>
          ),
          text,
        })),
        { drawn: null, text: 'Worse on the left, better on the right.' },
      ]}
    />
  )
}
