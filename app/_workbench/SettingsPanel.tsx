'use client'

import { LoadFailure } from '../_graphql/LoadFailure.tsx'
import type { ModelChoice } from '../_graphql/types.ts'
import { Field } from '../_ui/Field.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { ClassPicker } from './ClassPicker.tsx'
import { EngineLine } from './EngineLine.tsx'
import { MethodOptions } from './MethodOptions.tsx'
import { NumberPicker } from './NumberPicker.tsx'
import { ParamsForm } from './ParamsForm.tsx'
import type { MethodPlace } from './TapPicker.tsx'
import type { Settings } from './useSettings.ts'
import styles from './SettingsPanel.module.css'

const NOWHERE: MethodPlace = { layers: [], defaultLayer: null }

/** The title, with the id where two models share one. */
function nameOf({ id, title }: ModelChoice, models: readonly ModelChoice[]): string {
  return models.filter((other) => other.title === title).length > 1 ? `${title} (${id})` : title
}

/** Model, method, class and parameters. Every change is explained at once. */
export function SettingsPanel({ settings }: { readonly settings: Settings }) {
  const { model, models, method, setup, label, params, error } = settings
  const unavailable = setup?.methods.filter((entry) => !entry.available) ?? []
  return (
    <section className={styles['panel']} aria-label="Settings">
      {error ? <LoadFailure error={error} onRetry={settings.retry} /> : null}
      {!error && !model ? <Progress label="Asking which models there are…" /> : null}
      {model ? (
        <Field label="Model" hint={model.summary}>
          {(ids) => (
            <select
              {...ids}
              value={model.id}
              onChange={(event) => {
                settings.chooseModel(event.target.value)
              }}
            >
              {models.map((candidate) => (
                <option key={candidate.id} value={candidate.id}>
                  {nameOf(candidate, models)}
                </option>
              ))}
            </select>
          )}
        </Field>
      ) : null}
      {model && !setup && !error ? <Progress label={`Loading ${model.title}…`} /> : null}
      {setup ? <EngineLine engine={setup.engine} /> : null}
      {setup && method && model ? (
        <>
          <Field label="Method" hint={method.summary}>
            {(ids) => (
              <select
                {...ids}
                value={method.id}
                onChange={(event) => {
                  settings.chooseMethod(event.target.value)
                }}
              >
                <MethodOptions entries={setup.methods} />
              </select>
            )}
          </Field>
          {unavailable.length > 0 ? (
            <details className={styles['aside']}>
              <summary>Not for this model: {unavailable.length}</summary>
              <ul>
                {unavailable.map((entry) => (
                  <li key={entry.method.id}>
                    <b>{entry.method.title}</b> {entry.reason}
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
          <Field label="Class to explain">
            {(ids) => (
              <ClassPicker
                key={model.id}
                labels={setup.labels}
                value={label}
                ids={ids}
                onChoose={settings.chooseLabel}
              />
            )}
          </Field>
          <NumberPicker
            link={setup.link}
            labels={setup.labels}
            value={settings.number}
            onChoose={settings.chooseNumber}
          />
          <ParamsForm
            key={method.id}
            paramsSchema={method.paramsSchema}
            params={params}
            setup={setup}
            place={setup.methods.find((entry) => entry.method.id === method.id) ?? NOWHERE}
            onChange={settings.setParam}
          />
        </>
      ) : null}
    </section>
  )
}
