'use client'

import type { Prediction } from '../_graphql/types.ts'
import { percent, significant } from './format.ts'
import styles from './Predictions.module.css'

interface PredictionsProps {
  readonly predictions: readonly Prediction[]
  /** The class that the map or the scores are about. */
  readonly target: Prediction | null | undefined
  /** Given where another class can be explained. */
  readonly onChoose?: ((label: string) => void) | undefined
}

const SHOWN = 8

/** Every class with its probability as a bar; choosing one explains it. */
export function Predictions({ predictions, target, onChoose }: PredictionsProps) {
  const shown = predictions.slice(0, SHOWN)
  if (target && !shown.some((prediction) => prediction.index === target.index)) shown.push(target)
  return (
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
  )
}
