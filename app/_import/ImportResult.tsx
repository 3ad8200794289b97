import type { ImportedModelQuery, ImportPartsFragment } from '../_graphql/generated/graphql.ts'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import styles from './ImportModel.module.css'

type Models = NonNullable<ImportedModelQuery['modelImport']>['models']

const SHOWN_LABELS = 12

function labelsIn(labels: readonly string[]): string {
  const more = labels.length - SHOWN_LABELS
  return more > 0 ? `${labels.slice(0, SHOWN_LABELS).join(', ')} and ${String(more)} more` : labels.join(', ')
}

function Understood({ model, inputs }: { readonly model: Models[number]; readonly inputs: readonly string[] }) {
  const missing = model.methods?.filter(({ available }) => !available) ?? []
  const available = model.methods?.filter((one) => one.available) ?? []
  const [page, what] = model.modality === 'IMAGE' ? (['/photo', 'a photo'] as const) : (['/review', 'a text'] as const)
  return (
    <>
      <p>
        <b>{model.title}</b> is here, among the models beside <a href={page}>{what}</a>.
      </p>
      <dl className={styles['facts']}>
        <dt>Reads</dt>
        <dd>{inputs.length > 0 ? inputs.join(', ') : model.modality === 'IMAGE' ? 'pictures' : 'texts'}</dd>
        <dt>Answers</dt>
        <dd>
          {model.labels.length} classes: {labelsIn(model.labels)}
        </dd>
        <dt>Default layer</dt>
        <dd>
          <code>{model.defaultTap ?? 'none: the model cannot be opened'}</code>
        </dd>
        <dt>Can be asked</dt>
        <dd>{available.length > 0 ? available.map(({ method }) => method.title).join(', ') : 'nothing'}</dd>
        {missing.map(({ method, reason }) => (
          <div key={method.title} className={styles['row']}>
            <dt>Not {method.title}</dt>
            <dd>{reason}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}

interface ImportResultProps {
  readonly done: ImportPartsFragment
  /** undefined while they are loaded. */
  readonly models: Models | undefined
}

/** What was understood of an imported model, what had to be guessed, and what its first try found wrong. */
export function ImportResult({ done, models }: ImportResultProps) {
  return (
    <div className={styles['result']} aria-live="polite">
      {done.problems.map((problem) => (
        <Notice key={problem} tone="warning">
          {problem}
        </Notice>
      ))}
      {models === undefined ? <Progress label="Looking at what can be asked of it…" /> : null}
      {models?.map((model) => (
        <Understood key={model.id} model={model} inputs={done.inputs} />
      ))}
      {done.guesses.length > 0 ? (
        <>
          <h3>Guessed, since no file says it</h3>
          <p>Look whether it is right. It stands in the model’s card.json, where it can be corrected.</p>
          <ul>
            {done.guesses.map(({ field, assumed, why }) => (
              <li key={field}>
                <code>{field}</code>: {assumed} <span className={styles['why']}>({why})</span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </div>
  )
}
