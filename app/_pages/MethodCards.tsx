'use client'

import { useQuery } from 'urql'
import { MethodCardsDocument, type Modality } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import { Citation } from '../_ui/Citation.tsx'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { methodFamilies } from '../_ui/methodFamilies.ts'
import { readFields } from '../_workbench/paramFields.ts'
import styles from './Cards.module.css'
import { methodAnchor } from './methodAnchor.ts'

const SECTIONS: readonly { modality: Modality; title: string }[] = [
  { modality: 'IMAGE', title: 'For photos' },
  { modality: 'TEXT', title: 'For reviews' },
]

export function MethodCards() {
  const [{ data, error }] = useQuery({ query: MethodCardsDocument })
  return (
    <div className={styles['page']}>
      <h1>Methods</h1>
      {error ? <Notice tone="error">{sentence(error)}</Notice> : null}
      {!data && !error ? <Progress label="Loading the methods…" /> : null}
      {data
        ? SECTIONS.map(({ modality, title }) => (
            <section key={modality} className={styles['section']} aria-labelledby={modality}>
              <h2 id={modality}>{title}</h2>
              <nav className={styles['index']} aria-label={`Methods ${title.toLowerCase()}`}>
                {methodFamilies(
                  data.methods.filter((method) => method.modality === modality),
                  ({ family }) => family,
                ).map(({ group: [family, name], members }) => (
                  <p key={family}>
                    <b>{name}</b>{' '}
                    {members.map((method, at) => (
                      <span key={method.id}>
                        {at > 0 ? ' · ' : ''}
                        <a href={`#${methodAnchor(modality, method.id)}`}>{method.title}</a>
                      </span>
                    ))}
                  </p>
                ))}
              </nav>
              {data.methods
                .filter((method) => method.modality === modality)
                .map((method) => (
                  <article key={method.id} id={methodAnchor(method.modality, method.id)} className={styles['card']}>
                    <header>
                      <h3>{method.title}</h3>
                      <code>
                        {method.id}, version {method.version}
                      </code>
                    </header>
                    <p>{method.summary}</p>
                    <dl>
                      <div>
                        <dt>What the numbers mean</dt>
                        <dd>{method.meaning}</dd>
                      </div>
                      <div>
                        <dt>When they mislead</dt>
                        <dd>{method.misleads}</dd>
                      </div>
                      <div>
                        <dt>Values</dt>
                        <dd>
                          {method.signed
                            ? 'Signed: for and against the class'
                            : 'Unsigned: how much, not in which direction'}
                          {method.complete ? '; they add up to the change of the score' : ''}
                        </dd>
                      </div>
                      {readFields(method.paramsSchema).map((field) => (
                        <div key={field.name}>
                          <dt>{field.title}</dt>
                          <dd>{field.description}</dd>
                        </div>
                      ))}
                      {method.paper ? (
                        <div>
                          <dt>Paper</dt>
                          <dd>
                            <Citation paper={method.paper} />
                          </dd>
                        </div>
                      ) : null}
                    </dl>
                  </article>
                ))}
            </section>
          ))
        : null}
    </div>
  )
}
