'use client'

import { useCallback } from 'react'
import { useQuery } from 'urql'
import { ModelCardsDocument } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import { ImportModel } from '../_import/ImportModel.tsx'
import { count } from '../_run/format.ts'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import styles from './Cards.module.css'
import { ModelNotes } from './ModelNotes.tsx'

/** A share as a percentage with the digits it was measured with; any other figure as it is. */
function figure(value: number): string {
  return value <= 1 ? `${(value * 100).toFixed(2)} %` : String(value)
}

/** More are behind a click. */
const FEW_CLASSES = 20

function Classes({ labels }: { readonly labels: readonly string[] }) {
  if (labels.length <= FEW_CLASSES) return labels.join(', ')
  return (
    <details>
      <summary>
        {labels.slice(0, FEW_CLASSES).join(', ')} and {count(labels.length - FEW_CLASSES)} more
      </summary>
      {labels.slice(FEW_CLASSES).join(', ')}
    </details>
  )
}

export function ModelCards() {
  const [{ data, error }, refetch] = useQuery({ query: ModelCardsDocument, requestPolicy: 'cache-and-network' })
  const lookAgain = useCallback(() => {
    refetch({ requestPolicy: 'network-only' })
  }, [refetch])
  return (
    <div className={styles['page']}>
      <h1>Models</h1>
      <p>
        Your own models go beside these: put the folder of a Teachable Machine export, or of a model with its{' '}
        <code>card.json</code>, into <code>models</code> in Limelight’s data folder. It is here when you load this page
        again.
      </p>
      <ImportModel onDone={lookAgain} />
      {error ? <Notice tone="error">{sentence(error)}</Notice> : null}
      {!data && !error ? <Progress label="Loading the models…" /> : null}
      {data?.modelProblems.map(({ folder, message }) => (
        <Notice key={folder} tone="warning">
          The folder <b>{folder}</b> is left out: {message}
        </Notice>
      ))}
      {data?.models.map((model) => (
        <article key={model.id} id={model.id} className={styles['card']}>
          <header>
            <h2>{model.title}</h2>
            <code>{model.id}</code>
          </header>
          <p>{model.summary}</p>
          <ModelNotes id={model.id} />
          {model.figures.length > 0 ? (
            <div className={styles['tableWrap']}>
              <table>
                <caption className="visually-hidden">Measured figures of {model.title}</caption>
                <thead>
                  <tr>
                    <th scope="col">Measured on</th>
                    <th scope="col">Figure</th>
                    <th scope="col">Value</th>
                    <th scope="col">Examples</th>
                    <th scope="col">Measure it again</th>
                  </tr>
                </thead>
                <tbody>
                  {model.figures.map((one) => (
                    <tr key={`${one.dataset} ${one.metric}`}>
                      <td>{one.dataset}</td>
                      <td>{one.metric}</td>
                      <td>{figure(one.value)}</td>
                      <td>{count(one.n)}</td>
                      <td>
                        <code>{one.command}</code>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : null}
          <dl>
            <div>
              <dt>Classes</dt>
              <dd>
                <Classes labels={model.labels} />
              </dd>
            </div>
            <div>
              <dt>Architecture</dt>
              <dd>{model.architecture}</dd>
            </div>
            <div>
              <dt>Trained on</dt>
              <dd>{model.data}</dd>
            </div>
            <div>
              <dt>Licence</dt>
              <dd>{model.license}</dd>
            </div>
            <div>
              <dt>SHA-256</dt>
              <dd>
                <code>{model.sha256}</code>
              </dd>
            </div>
          </dl>
        </article>
      ))}
    </div>
  )
}
