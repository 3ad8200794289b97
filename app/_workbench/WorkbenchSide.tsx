import type { Run } from '../_graphql/types.ts'
import { Predictions } from '../_run/Predictions.tsx'
import { RunFacts } from '../_run/RunFacts.tsx'
import { SettingsPanel } from './SettingsPanel.tsx'
import type { Settings } from './useSettings.ts'
import styles from './Workbench.module.css'

/** Beside the input: what the model says, what can be chosen, how the result was made. */
export function WorkbenchSide({ run, settings }: { readonly run: Run | null; readonly settings: Settings }) {
  return (
    <aside className={styles['side']} aria-label="Prediction and settings">
      {run ? (
        <section aria-labelledby="predictions">
          <h2 id="predictions">What the model says</h2>
          <Predictions run={run} onChoose={settings.chooseLabel} />
        </section>
      ) : null}
      <SettingsPanel settings={settings} />
      {run ? (
        <details className={styles['facts']}>
          <summary>How this was made</summary>
          <RunFacts run={run} linked />
        </details>
      ) : null}
    </aside>
  )
}
