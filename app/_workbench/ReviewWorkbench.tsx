'use client'

import { useState } from 'react'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import { Check } from '../_check/Check.tsx'
import type { Run } from '../_graphql/types.ts'
import { Diagnoses } from '../_run/Diagnoses.tsx'
import { TextResult } from '../_run/TextResult.tsx'
import { count } from '../_run/format.ts'
import { describe } from '../_run/describe.ts'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { RunActions } from './RunActions.tsx'
import { RunStatusLine } from './RunStatusLine.tsx'
import { useEarlierRun } from './useEarlierRun.ts'
import { useExplanation } from './useExplanation.ts'
import { isSampleReview, useSamples } from './useSamples.ts'
import { useSettings } from './useSettings.ts'
import { WorkbenchSide } from './WorkbenchSide.tsx'
import styles from './Workbench.module.css'

/** Type a review; see what the model says and which words made it say so. */
export function ReviewWorkbench({ earlierRunId }: { readonly earlierRunId: string | null }) {
  const samples = useSamples('/samples/reviews.json', isSampleReview)
  const [text, setText] = useState('')
  const [asked, setAsked] = useState<{ text: string; times: number } | null>(null)
  const settings = useSettings('TEXT', asked?.text ?? '')
  const { question } = settings
  const explaining = useExplanation(question && asked ? { ...question, text: asked.text } : null, asked?.times)
  const { run } = explaining

  const earlier = useEarlierRun(earlierRunId, 'TEXT', (found: Run) => {
    settings.adopt(found, found.text ?? '')
    setText(found.text ?? '')
    setAsked({ text: found.text ?? '', times: 1 })
  })

  function submit(next: string) {
    if (asked?.text !== next) explaining.reset()
    setText(next)
    setAsked((before) => ({ text: next, times: (before?.times ?? 0) + 1 }))
  }
  usePageCommands({
    explain: () => {
      submit(text)
    },
    ...(explaining.pending?.id ? { cancel: () => void explaining.cancel() } : {}),
  })

  const stale = run !== null && asked !== null && asked.text !== text
  return (
    <div className={styles['workbench']}>
      <div className={styles['stage']}>
        <header className={styles['head']}>
          <div>
            <h1>Which words made the model say so?</h1>
            <p className={styles['about']}>{run ? describe(run) : 'Type or paste a movie review.'}</p>
          </div>
          {run ? (
            <div className={styles['runActions']}>
              <RunActions runId={run.id} />
            </div>
          ) : null}
        </header>
        {earlier.loading ? <Progress label="Loading the earlier run…" /> : null}
        {earlier.problem ? <Notice tone="error">{earlier.problem}</Notice> : null}
        <form
          className={styles['review']}
          onSubmit={(event) => {
            event.preventDefault()
            submit(text)
          }}
        >
          <label htmlFor="review" className="visually-hidden">
            Review
          </label>
          <textarea
            id="review"
            value={text}
            rows={5}
            placeholder="For example: The plot is thin, but the two leads are a joy to watch."
            spellCheck
            onChange={(event) => {
              setText(event.target.value)
            }}
          />
          <div className={styles['reviewFoot']}>
            <button type="submit" data-variant="primary">
              Explain <kbd aria-hidden="true">Ctrl ↵</kbd>
            </button>
            {text !== '' ? (
              <button
                type="button"
                data-variant="quiet"
                onClick={() => {
                  setText('')
                }}
              >
                Clear
              </button>
            ) : null}
            <span className={styles['count']}>{text === '' ? '' : `${count(wordCount(text))} words`}</span>
          </div>
        </form>
        {stale ? (
          <Notice tone="info">The review has changed since. Explain it again to see the new words’ scores.</Notice>
        ) : null}
        <div className={styles['canvas']}>
          <RunStatusLine
            state={explaining}
            over={run !== null}
            subject={settings.method?.title ?? 'The explanation'}
            onCancel={() => void explaining.cancel()}
            onRetry={explaining.ask}
          />
          {run ? (
            <div className={styles['live']} data-stale={stale || explaining.pending !== null}>
              <TextResult run={run} onChanged={() => void explaining.refresh()}>
                <Diagnoses diagnoses={run.diagnoses} />
              </TextResult>
              <Check key={run.id} run={run} />
            </div>
          ) : null}
        </div>
        {samples.length > 0 ? (
          <section aria-labelledby="samples" className={styles['samples']}>
            <h2 id="samples">{run ? 'More to try' : 'Or try one of these'}</h2>
            <ul>
              {samples.map((sample) => (
                <li key={sample.title}>
                  <button
                    type="button"
                    onClick={() => {
                      submit(sample.text)
                      window.scrollTo({ top: 0 })
                    }}
                  >
                    <b>{sample.title}</b>
                    <span>{sample.text}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
      </div>
      <WorkbenchSide run={run} settings={settings} />
    </div>
  )
}

function wordCount(text: string): number {
  return text.split(/\s+/u).filter((word) => word !== '').length
}
