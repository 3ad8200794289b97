import { methodAnchor } from '../_pages/methodAnchor.ts'
import Link from 'next/link'
import type { ReactNode } from 'react'
import type { Run } from '../_graphql/types.ts'
import { dateTime, milliseconds, signedValue } from './format.ts'
import { isJsonObject, lines } from './jsonLines.ts'
import styles from './RunFacts.module.css'

interface RunFactsProps {
  readonly run: Run
  /** False on a shared page, whose reader has no other page to go to. */
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

function timeSpent({ totalMs, queuedMs, loadMs, preprocessMs, computeMs }: NonNullable<Run['timings']>): string {
  const parts = [
    { ms: queuedMs, doing: 'waiting' },
    { ms: loadMs, doing: 'loading the model' },
    { ms: preprocessMs, doing: 'preparing the input' },
    { ms: computeMs, doing: 'computing' },
  ]
  const spent = parts.filter(({ ms }) => ms > 0).map(({ ms, doing }) => `${milliseconds(ms)} ${doing}`)
  return `${milliseconds(totalMs)} in all: ${spent.join(', ')}`
}

/** What made this result: model, method, parameters, times, and the versions recorded with it. */
export function RunFacts({ run, linked }: RunFactsProps) {
  const parameters = lines(run.params)
  const provenance = isJsonObject(run.provenance) ? Object.entries(run.provenance) : []
  return (
    <dl className={styles['facts']}>
      <Fact term="Model">
        {linked ? <Link href={`/models#${run.model.id}`}>{run.model.title}</Link> : run.model.title}
      </Fact>
      <Fact term="Method">
        {linked ? (
          <Link href={`/methods#${methodAnchor(run.model.modality, run.method.id)}`}>{run.method.title}</Link>
        ) : (
          run.method.title
        )}
      </Fact>
      {run.target ? <Fact term="Class">{run.target.label}</Fact> : null}
      <Fact term="Explained">
        {run.explained.title}
        {run.explained.value === null ? '' : `: ${signedValue(run.explained.value)}`}
      </Fact>
      {run.attribution?.__typename === 'ImageAttribution' && run.attribution.layer ? (
        <Fact term="Layer">
          <code>{run.attribution.layer}</code>
        </Fact>
      ) : null}
      {run.mapCount > 1 ? <Fact term="Maps">The first of {run.mapCount}</Fact> : null}
      {parameters.length > 0 ? (
        <Fact term="Parameters">
          <Lines of={parameters} />
        </Fact>
      ) : null}
      <Fact term="Seed">
        <code>{run.seed}</code>
      </Fact>
      {run.name ? <Fact term="File">{run.name}</Fact> : null}
      {run.image ? (
        <Fact term="Picture">
          {run.image.originalWidth} × {run.image.originalHeight} {run.image.format.toUpperCase()}
        </Fact>
      ) : null}
      <Fact term="Made">
        <time dateTime={run.createdAt}>{dateTime(run.createdAt)}</time>
      </Fact>
      {run.timings ? <Fact term="Time">{timeSpent(run.timings)}</Fact> : null}
      {provenance.map(([part, recorded]) => (
        <Fact key={part} term={`Recorded ${part}`}>
          <Lines of={lines(recorded)} />
        </Fact>
      ))}
    </dl>
  )
}

function Lines({ of }: { readonly of: ReturnType<typeof lines> }) {
  return of.map(({ path, value }) => (
    <span key={path} className={styles['line']}>
      {path === '' ? null : `${path} `}
      <code>{value}</code>
    </span>
  ))
}
