'use client'

import { useState } from 'react'
import { useMutation, useQuery } from 'urql'
import { RevokeShareDocument, ShareLinksOfRunDocument, ShareRunDocument } from '../_graphql/generated/graphql.ts'
import { sentence } from '../_graphql/sentence.ts'
import { Dialog } from '../_ui/Dialog.tsx'
import { Field } from '../_ui/Field.tsx'
import { Notice } from '../_ui/Notice.tsx'
import { dateTime } from './format.ts'
import { namesThisComputer } from './thisComputer.ts'
import styles from './ShareDialog.module.css'

const HOUR = 3_600_000
const LIFETIMES = [
  { id: 'day', label: 'in a day', ms: 24 * HOUR },
  { id: 'week', label: 'in a week', ms: 7 * 24 * HOUR },
  { id: 'month', label: 'in 30 days', ms: 30 * 24 * HOUR },
  { id: 'hour', label: 'in an hour', ms: HOUR },
  { id: 'never', label: 'never', ms: null },
] as const

interface Link {
  readonly id: string
  readonly expiresAt?: string | null
  readonly revokedAt?: string | null
  readonly createdAt: string
}

function stateOf(link: Link): { open: boolean; text: string } {
  if (link.revokedAt) return { open: false, text: `Revoked ${dateTime(link.revokedAt)}` }
  if (!link.expiresAt) return { open: true, text: 'Does not expire' }
  const expired = new Date(link.expiresAt).getTime() <= Date.now()
  return { open: !expired, text: `${expired ? 'Expired' : 'Expires'} ${dateTime(link.expiresAt)}` }
}

/** Makes links to a run that anybody who has them can open, lists them, and takes them back. */
export function ShareDialog({ runId, onClose }: { readonly runId: string; readonly onClose: () => void }) {
  const [lifetime, setLifetime] = useState<(typeof LIFETIMES)[number]['id']>('week')
  const [made, setMade] = useState<{ id: string; url: string } | null>(null)
  const [copied, setCopied] = useState<'no' | 'yes' | 'failed'>('no')
  const [sharing, share] = useMutation(ShareRunDocument)
  const [revoking, revoke] = useMutation(RevokeShareDocument)
  const [links, refetch] = useQuery({
    query: ShareLinksOfRunDocument,
    variables: { id: runId },
    requestPolicy: 'cache-and-network',
  })
  const error = sharing.error ?? revoking.error ?? links.error

  async function create() {
    const ms = LIFETIMES.find(({ id }) => id === lifetime)?.ms ?? null
    const expiresAt = ms === null ? null : new Date(Date.now() + ms).toISOString()
    const result = await share({ runId, expiresAt })
    if (!result.data) return
    const { id, url } = result.data.shareRun
    setMade({ id, url: new URL(url, window.location.href).href })
    setCopied('no')
    refetch({ requestPolicy: 'network-only' })
  }

  async function copy(url: string) {
    try {
      await navigator.clipboard.writeText(url)
      setCopied('yes')
    } catch {
      setCopied('failed')
    }
  }

  return (
    <Dialog title="Share this run" onClose={onClose}>
      <div className={styles['share']}>
        <p className={styles['about']}>
          Whoever has the link sees the input, the result and the annotations, and can change nothing.
        </p>
        {error ? <Notice tone="error">{sentence(error)}</Notice> : null}
        <form
          className={styles['create']}
          onSubmit={(event) => {
            event.preventDefault()
            void create()
          }}
        >
          <Field label="Link expires">
            {(ids) => (
              <select
                {...ids}
                value={lifetime}
                onChange={(event) => {
                  const chosen = LIFETIMES.find(({ id }) => id === event.target.value)
                  if (chosen) setLifetime(chosen.id)
                }}
              >
                {LIFETIMES.map(({ id, label }) => (
                  <option key={id} value={id}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <button type="submit" data-variant="primary" disabled={sharing.fetching}>
            {sharing.fetching ? 'Creating…' : 'Create link'}
          </button>
        </form>
        {made ? (
          <div className={styles['made']}>
            <Field
              label="The new link"
              hint="Shown only now: Limelight keeps a fingerprint of it, not the link itself."
            >
              {(ids) => (
                <div className={styles['copy']}>
                  <input
                    {...ids}
                    readOnly
                    value={made.url}
                    onFocus={(event) => {
                      event.target.select()
                    }}
                  />
                  <button
                    type="button"
                    onClick={() => {
                      void copy(made.url)
                    }}
                  >
                    Copy
                  </button>
                </div>
              )}
            </Field>
            {namesThisComputer(made.url) ? (
              <Notice tone="info">
                The link names this computer itself, so it opens here alone. For colleagues, start Limelight with
                <code> npm start -- --host 0.0.0.0 --allow-host NAME</code> and open this page under that name.
              </Notice>
            ) : null}
            <p role="status" className={styles['about']}>
              {copied === 'yes' ? 'Copied.' : ''}
              {copied === 'failed' ? 'The browser does not let this page copy. Select the link and press Ctrl-C.' : ''}
            </p>
          </div>
        ) : null}
        {links.data?.run && links.data.run.shareLinks.length > 0 ? (
          <ul className={styles['links']} aria-label="Links to this run">
            {links.data.run.shareLinks.map((link) => {
              const state = stateOf(link)
              return (
                <li key={link.id} data-open={state.open}>
                  <div>
                    <span>
                      Link of {dateTime(link.createdAt)}
                      {link.id === made?.id ? ' (the new one)' : ''}
                    </span>
                    <span className={styles['state']}>{state.text}</span>
                  </div>
                  {state.open ? (
                    <button
                      type="button"
                      data-size="small"
                      data-variant="danger"
                      aria-label={`Revoke the link of ${dateTime(link.createdAt)}`}
                      disabled={revoking.fetching}
                      onClick={() => {
                        void revoke({ id: link.id }).then((result) => {
                          if (!result.data) return
                          if (link.id === made?.id) setMade(null)
                          refetch({ requestPolicy: 'network-only' })
                        })
                      }}
                    >
                      Revoke
                    </button>
                  ) : null}
                </li>
              )
            })}
          </ul>
        ) : null}
        {links.fetching && !links.data ? <p className={styles['about']}>Loading the links…</p> : null}
      </div>
    </Dialog>
  )
}
