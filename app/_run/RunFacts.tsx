import Link from 'next/link'
import type { ReactNode } from 'react'
import type { Run } from '../_graphql/types.ts'
import { dateTime, milliseconds } from './format.ts'
import styles from './RunFacts.module.css'

interface RunFactsProps {
  readonly run: Run
  readonly linked: boolean
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Nested JSON as lines of `path: value`. */
export function flatten(value: unknown, path = ''): readonly { path: string; value: string }[] {
  if (value === null || typeof value !== 'object') return [{ path, value: String(value) }]
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))
}

/** What made this result: model, method, parameters, times, versions. */
export function RunFacts({ run, linked }: RunFactsProps) {
  const parameters = flatten(run.params)
  const provenance = flatten(run.provenance).filter(({ value }) => value !== '')
  const { timings } = run
  return (
    <dl className={styles['facts']}>
      <Fact term="Model">
        {linked ? <Link href={`/models#${run.model.id}`}>{run.model.title}</Link> : run.model.title}
      </Fact>
      <Fact term="Method">
        {linked ? <Link href={`/methods#${run.method.id}`}>{run.method.title}</Link> : run.method.title}
      </Fact>
      {run.target ? <Fact term="Class">{run.target.label}</Fact> : null}
      {run.attribution?.__typename === 'ImageAttribution' && run.attribution.layer ? (
        <Fact term="Layer">
          <code>{run.attribution.layer}</code>
        </Fact>
      ) : null}
      {parameters.map((parameter) => (
        <Fact key={parameter.path} term={parameter.path}>
          <code>{parameter.value}</code>
        </Fact>
      ))}
      <Fact term="Seed">
        <code>{run.seed}</code>
      </Fact>
      {run.image ? (
        <Fact term="Picture">
          {run.image.originalWidth} × {run.image.originalHeight} {run.image.format.toUpperCase()}
        </Fact>
      ) : null}
      <Fact term="Made">
        <time dateTime={run.createdAt}>{dateTime(run.createdAt)}</time>
      </Fact>
      {timings ? (
        <Fact term="Time">
          {milliseconds(timings.totalMs)} in all: {milliseconds(timings.queuedMs)} waiting,{' '}
          {milliseconds(timings.loadMs)} loading the model, {milliseconds(timings.preprocessMs)} preparing the input,{' '}
          {milliseconds(timings.computeMs)} computing
        </Fact>
      ) : null}
      {provenance.map((entry) => (
        <Fact key={entry.path} term={entry.path}>
          <code>{entry.value}</code>
        </Fact>
      ))}
    </dl>
  )
}
