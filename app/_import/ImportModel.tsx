'use client'

import { useId, useState } from 'react'
import { Field } from '../_ui/Field.tsx'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { ImportResult } from './ImportResult.tsx'
import { useImport } from './useImport.ts'
import styles from './ImportModel.module.css'

/** The box that brings a model in: by its name on the hub, or with the files of its folder. */
export function ImportModel({ onDone }: { readonly onDone: () => void }) {
  const heading = useId()
  const [name, setName] = useState('')
  const [revision, setRevision] = useState('')
  const importing = useImport(onDone)
  const { current, sent, failure, isBusy } = importing
  const choose = (list: FileList | null) => {
    if (list !== null && list.length > 0) void importing.withFiles([...list])
  }
  return (
    <section aria-labelledby={heading} className={styles['box']}>
      <h2 id={heading}>Import a model</h2>
      <form
        className={styles['form']}
        onSubmit={(event) => {
          event.preventDefault()
          void importing.byName(name, revision)
        }}
      >
        <Field label="Name on the Hugging Face hub">
          {(ids) => (
            <input
              {...ids}
              value={name}
              placeholder="org/name"
              autoComplete="off"
              spellCheck={false}
              required
              onChange={(event) => {
                setName(event.target.value)
              }}
            />
          )}
        </Field>
        <Field label="Revision (optional)">
          {(ids) => (
            <input
              {...ids}
              value={revision}
              placeholder="main"
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => {
                setRevision(event.target.value)
              }}
            />
          )}
        </Field>
        <button type="submit" data-variant="primary" disabled={isBusy}>
          Import
        </button>
      </form>
      <div
        className={styles['drop']}
        onDragOver={(event) => {
          event.preventDefault()
        }}
        onDrop={(event) => {
          event.preventDefault()
          if (!isBusy) choose(event.dataTransfer.files)
        }}
      >
        <p>Or drop its files here: the ONNX file, config.json, and what its tokenizer or processor saved.</p>
        <div className={styles['choices']}>
          <Field label="Files">
            {(ids) => (
              <input
                {...ids}
                type="file"
                multiple
                disabled={isBusy}
                onChange={(event) => {
                  choose(event.target.files)
                }}
              />
            )}
          </Field>
          <Field label="A folder">
            {(ids) => (
              <input
                {...ids}
                ref={(input) => {
                  // React knows no such attribute, and every browser does.
                  input?.setAttribute('webkitdirectory', '')
                }}
                type="file"
                disabled={isBusy}
                onChange={(event) => {
                  choose(event.target.files)
                }}
              />
            )}
          </Field>
        </div>
      </div>
      {isBusy ? (
        <Progress
          label={sent !== null ? 'Sending the files…' : current?.doing ? `${current.doing}…` : 'Asking…'}
          fraction={sent ?? current?.progress}
          action={
            <button type="button" data-size="small" onClick={importing.cancel}>
              Cancel
            </button>
          }
        />
      ) : null}
      {failure !== null ? <Notice tone="error">{failure}</Notice> : null}
      {current?.error ? <Notice tone="error">{current.error.message}</Notice> : null}
      {current?.status === 'CANCELLED' ? (
        <Notice tone="info">Stopped. What has arrived is kept for the next time.</Notice>
      ) : null}
      {current?.status === 'DONE' ? <ImportResult done={current} models={importing.models} /> : null}
    </section>
  )
}
