'use client'

import type { Annotation, Evaluation } from '../_graphql/types.ts'
import { Notice } from '../_ui/Notice.tsx'
import { ScaleLegend } from './ControlScale.tsx'
import { CurveChart, CurveLegend } from './CurveChart.tsx'
import { metricFamilies, type Family } from './families.ts'
import { isOfTheseMarks } from './marks.ts'
import { MetricRow } from './MetricRow.tsx'
import { controlIn } from './standing.ts'
import { verdicts } from './verdicts.ts'
import styles from './Judgements.module.css'

interface FamilyPartProps {
  readonly family: Family
  readonly members: readonly Evaluation[]
  readonly annotations: readonly Annotation[] | null
}

function FamilyPart({ family, members, annotations }: FamilyPartProps) {
  const curves = members.filter(({ curve }) => curve !== null && curve.share.length > 1)
  const hasRandom = curves.some((evaluation) => (controlIn(evaluation, 'random')?.curve ?? null) !== null)
  return (
    <div className={styles['family']}>
      <h3>
        {family.title} <span>{family.question}</span>
      </h3>
      {family.controls === undefined ? null : <p className={styles['hint']}>{family.controls}</p>}
      {/* The roles are said, since a narrow page lays the rows out as blocks. */}
      <table role="table" className={styles['table']} aria-label={`${family.title} metrics`}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              Metric
            </th>
            <th role="columnheader" scope="col">
              Value
            </th>
            <th role="columnheader" scope="col">
              Worse → better
            </th>
            <th role="columnheader" scope="col">
              Beside controls
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {members.map((evaluation) => (
            <MetricRow
              key={evaluation.id}
              evaluation={evaluation}
              isOutdated={
                annotations !== null && evaluation.metric.needsAnnotation && !isOfTheseMarks(evaluation, annotations)
              }
            />
          ))}
        </tbody>
      </table>
      {curves.length > 0 ? (
        <>
          <div className={styles['curves']}>
            {curves.map((evaluation) => (
              <CurveChart key={evaluation.id} evaluation={evaluation} />
            ))}
          </div>
          <CurveLegend hasRandom={hasRandom} />
        </>
      ) : null}
    </div>
  )
}

interface JudgementsProps {
  /** Oldest first; those that are not done are left out. */
  readonly evaluations: readonly Evaluation[]
  /** What is marked now; null where that is not known. */
  readonly annotations: readonly Annotation[] | null
}

/** What the metrics say, first together in sentences, then each with its controls. */
export function Judgements({ evaluations, annotations }: JudgementsProps) {
  const done = evaluations.filter(({ status }) => status === 'DONE')
  if (done.length === 0) return null
  const told = verdicts(done)
  return (
    <>
      {told.length > 0 ? (
        <Notice tone={told.some(({ tone }) => tone === 'warning') ? 'warning' : 'info'}>
          <ul className={styles['verdicts']} aria-label="What the metrics say together">
            {told.map(({ sentence }) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </Notice>
      ) : null}
      <ScaleLegend hasEdges={done.some((evaluation) => controlIn(evaluation, 'edges') !== undefined)} />
      {metricFamilies(done).map(({ group: family, members }) => (
        <FamilyPart key={family.id} family={family} members={members} annotations={annotations} />
      ))}
    </>
  )
}
