'use client'

import type { Prediction, Run } from '../_graphql/types.ts'
import { saidOf, significant } from './format.ts'
import styles from './Predictions.module.css'

interface PredictionsProps {
  readonly predictions: readonly Prediction[]
  /** What makes their probabilities. */
  readonly link: Run['link']
  /** The class that the map or the scores are about. */
  readonly target: Prediction | null | undefined
  /** Given where another class can be explained. */
  readonly onChoose?: ((label: string) => void) | undefined
}

const SHOWN = 8

/** What a reader of bars would take for granted, where it does not hold. */
const NOTES: Readonly<Record<NonNullable<Run['link']>, string>> = {
  SOFTMAX: '',
  SIGMOID: 'Each for itself: several can be likely at once, so they need not add up to 100 %.',
  NONE: 'Values as the model gives them: no probabilities.',
}

/** Every class with its probability as a bar; choosing one explains it. */
export function Predictions({ predictions, link, target, onChoose }: PredictionsProps) {
  const shown = predictions.slice(0, SHOWN)
  if (target && !shown.some((prediction) => prediction.index === target.index)) shown.push(target)
  const list = (
    <ul className={styles['predictions']} aria-label="Predicted classes">
      {shown.map((prediction) => {
        const explained = prediction.index === target?.index
        const content = (
          <>
            <span className={styles['label']}>{prediction.label}</span>
            {explained ? <span className={styles['explained']}>explained</span> : null}
            <span className={styles['value']} title={`Logit ${significant(prediction.logit)}`}>
              {saidOf(prediction)}
            </span>
            {prediction.probability === null ? null : (
              <span className={styles['track']} aria-hidden="true">
                <span className={styles['bar']} style={{ width: `${String(prediction.probability * 100)}%` }} />
              </span>
            )}
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
  const note = link === null ? '' : NOTES[link]
  if (note === '') return list
  return (
    <>
      {list}
      <p className={styles['note']}>{note}</p>
    </>
  )
}
