'use client'

import type { Run } from '../_graphql/types.ts'
import { count, percent, significant } from './format.ts'
import styles from './Predictions.module.css'

interface PredictionsProps {
  /** The most probable classes; `target` is what the map or the scores are about. */
  readonly run: Pick<Run, 'predictions' | 'target' | 'classCount'>
  /** Given where another class can be explained. */
  readonly onChoose?: ((label: string) => void) | undefined
}

/** The most probable classes and the explained one, each with its probability as a bar; choosing one explains it. */
export function Predictions({ run: { predictions, target, classCount }, onChoose }: PredictionsProps) {
  const isListed = !target || predictions.some((prediction) => prediction.index === target.index)
  const shown = isListed ? predictions : [...predictions, target]
  const rest = classCount - shown.length
  const share = 1 - shown.reduce((sum, { probability }) => sum + probability, 0)
  return (
    <>
      <ul className={styles['predictions']} aria-label="Predicted classes">
        {shown.map((prediction) => {
          const explained = prediction.index === target?.index
          const content = (
            <>
              <span className={styles['label']}>{prediction.label}</span>
              {explained ? <span className={styles['explained']}>explained</span> : null}
              <span className={styles['value']} title={`Logit ${significant(prediction.logit)}`}>
                {percent(prediction.probability)}
              </span>
              <span className={styles['track']} aria-hidden="true">
                <span className={styles['bar']} style={{ width: `${String(prediction.probability * 100)}%` }} />
              </span>
            </>
          )
          return (
            <li key={prediction.index} data-explained={explained}>
              {onChoose ? (
                <button
                  type="button"
                  aria-pressed={explained}
                  onClick={() => {
                    if (!explained) onChoose(prediction.label)
                  }}
                >
                  {content}
                </button>
              ) : (
                <div className={styles['row']}>{content}</div>
              )}
            </li>
          )
        })}
      </ul>
      {rest > 0 ? (
        <p className={styles['rest']}>
          {count(rest)} more {rest === 1 ? 'class has' : 'classes share'} {percent(Math.max(share, 0))}
        </p>
      ) : null}
    </>
  )
}
