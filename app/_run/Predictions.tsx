'use client'

import type { Run } from '../_graphql/types.ts'
import { count, percent, saidOf, significant } from './format.ts'
import styles from './Predictions.module.css'

interface PredictionsProps {
  /** The most probable classes; `target` is what the map or the scores are about. */
  readonly run: Pick<Run, 'predictions' | 'target' | 'classCount' | 'link'>
  /** Given where another class can be explained. */
  readonly onChoose?: ((label: string) => void) | undefined
}

/** What a reader of bars would take for granted, where it does not hold. */
const NOTES: Readonly<Record<NonNullable<Run['link']>, string>> = {
  SOFTMAX: '',
  SIGMOID: 'Each for itself: several can be likely at once, so they need not add up to 100 %.',
  NONE: 'Values as the model gives them: no probabilities.',
}

/** The most probable classes and the explained one, each with its probability as a bar; choosing one explains it. */
export function Predictions({ run: { predictions, target, classCount, link }, onChoose }: PredictionsProps) {
  const isListed = !target || predictions.some((prediction) => prediction.index === target.index)
  const shown = isListed ? predictions : [...predictions, target]
  const rest = classCount - shown.length
  const share = 1 - shown.reduce((sum, { probability }) => sum + (probability ?? 0), 0)
  const note = NOTES[link ?? 'SOFTMAX']
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
      {rest > 0 ? (
        <p className={styles['rest']}>
          {link === 'SOFTMAX'
            ? `${count(rest)} more ${rest === 1 ? 'class has' : 'classes share'} ${percent(Math.max(share, 0))}`
            : `${count(rest)} more ${rest === 1 ? 'class' : 'classes'}`}
        </p>
      ) : null}
      {note === '' ? null : <p className={styles['rest']}>{note}</p>}
    </>
  )
}
