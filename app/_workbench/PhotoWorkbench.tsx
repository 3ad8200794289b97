'use client'

import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import type { Run } from '../_graphql/types.ts'
import { Diagnoses } from '../_run/Diagnoses.tsx'
import { describe } from '../_run/describe.ts'
import { ImageResult } from '../_run/ImageResult.tsx'
import { Predictions } from '../_run/Predictions.tsx'
import { RunFacts } from '../_run/RunFacts.tsx'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { CameraDialog } from './CameraDialog.tsx'
import { PhotoInput } from './PhotoInput.tsx'
import { RunActions } from './RunActions.tsx'
import { RunStatusLine } from './RunStatusLine.tsx'
import { SettingsPanel } from './SettingsPanel.tsx'
import { rememberRun, useEarlierRun } from './useEarlierRun.ts'
import { useExplain } from './useExplain.ts'
import { useIncomingPhotos } from './useIncomingPhotos.ts'
import { usePicture } from './usePicture.ts'
import { useSamples, type SamplePhoto } from './useSamples.ts'
import { useSettings } from './useSettings.ts'
import styles from './Workbench.module.css'

/** Bring a photo; see what the model says and which pixels made it say so. */
export function PhotoWorkbench({ earlierRunId }: { readonly earlierRunId: string | null }) {
  const settings = useSettings('IMAGE')
  const bench = usePicture()
  const explaining = useExplain()
  const samples = useSamples<SamplePhoto>('/samples/samples.json')
  const [camera, setCamera] = useState(false)
  const [sampleError, setSampleError] = useState<string | null>(null)
  const fileInput = useRef<HTMLInputElement>(null)
  const { picture } = bench
  const { run } = explaining

  const earlier = useEarlierRun(earlierRunId, 'IMAGE', (found: Run) => {
    if (!found.image) return
    settings.adopt(found)
    bench.restore(found.image)
  })

  function take(photo: Blob, name: string, alt: string) {
    setCamera(false)
    setSampleError(null)
    explaining.reset()
    void bench.choose(photo, name, alt)
  }
  async function takeSample(sample: SamplePhoto) {
    try {
      const response = await fetch(`/samples/${sample.file}`)
      if (!response.ok) throw new Error(response.statusText)
      take(await response.blob(), sample.title, sample.alt)
    } catch {
      setSampleError('The sample could not be loaded. Check that Limelight’s server is still running, then try again.')
    }
  }
  const dragging = useIncomingPhotos((file) => {
    take(file, file.name, 'The photo you chose')
  })
  const pick = () => fileInput.current?.click()

  const assetId = picture?.upload.kind === 'stored' ? picture.upload.assetId : null
  const { question } = settings
  const input = question && assetId !== null ? { ...question, image: { assetId } } : null
  const key = input ? JSON.stringify(input) : null
  const ask = () => {
    if (input) void explaining.explain(input)
  }
  const askAnew = useEffectEvent(ask)
  useEffect(() => {
    if (key !== null) askAnew()
  }, [key])
  useEffect(() => {
    rememberRun(run?.id ?? null)
  }, [run?.id])

  usePageCommands({
    choosePhoto: pick,
    ...(explaining.pending?.id ? { cancel: () => void explaining.cancel() } : {}),
  })

  const shownUrl = picture?.url ?? run?.image?.url ?? null
  return (
    <div className={styles['workbench']}>
      <input
        ref={fileInput}
        type="file"
        accept="image/*"
        hidden
        aria-hidden="true"
        data-testid="file"
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file) take(file, file.name, 'The photo you chose')
          event.target.value = ''
        }}
      />
      <div className={styles['stage']}>
        <header className={styles['head']}>
          <div>
            <h1>{picture ? picture.name : 'Which pixels made the model say so?'}</h1>
            {run && picture ? <p className={styles['about']}>{describe(run)}</p> : null}
            {!picture ? <p className={styles['about']}>Bring a photo of a cat or a dog, or of anything else.</p> : null}
          </div>
          {picture ? (
            <div className={styles['runActions']}>
              <button
                type="button"
                onClick={() => {
                  explaining.reset()
                  bench.clear()
                }}
              >
                Another photo
              </button>
              {run ? <RunActions runId={run.id} /> : null}
            </div>
          ) : null}
        </header>
        {earlier.loading && !picture ? <Progress label="Loading the earlier run…" /> : null}
        {earlier.problem ? <Notice tone="error">{earlier.problem}</Notice> : null}
        {sampleError ? <Notice tone="error">{sampleError}</Notice> : null}
        {picture ? (
          <>
            {picture.upload.kind === 'failed' ? (
              <Notice
                tone="error"
                action={
                  <>
                    {picture.upload.transient ? (
                      <button type="button" data-size="small" onClick={bench.retry}>
                        Try again
                      </button>
                    ) : null}
                    <button type="button" data-size="small" onClick={pick}>
                      Choose another
                    </button>
                  </>
                }
              >
                {picture.upload.message}
              </Notice>
            ) : null}
            <div className={styles['canvas']}>
              {picture.upload.kind === 'sending' ? (
                <Progress label="Handing the photo to the model…" fraction={picture.upload.fraction} />
              ) : (
                <RunStatusLine
                  state={explaining}
                  over={run !== null}
                  subject={settings.method?.title ?? 'The explanation'}
                  onCancel={() => void explaining.cancel()}
                  onRetry={ask}
                />
              )}
              {shownUrl ? (
                <div className={styles['live']} data-stale={explaining.pending !== null && run !== null}>
                  <ImageResult
                    picture={{
                      url: shownUrl,
                      width: picture.url ? picture.width : (run?.image?.width ?? picture.width),
                      height: picture.url ? picture.height : (run?.image?.height ?? picture.height),
                      alt: picture.alt,
                    }}
                    run={run}
                    onChanged={() => void explaining.refresh()}
                  >
                    {run ? <Diagnoses diagnoses={run.diagnoses} /> : null}
                  </ImageResult>
                </div>
              ) : picture.upload.kind === 'failed' ? null : (
                <p className={styles['placeholder']}>
                  This browser cannot show this kind of file. It appears once Limelight has read it.
                </p>
              )}
            </div>
          </>
        ) : (
          <PhotoInput
            samples={samples}
            dragging={dragging}
            onPick={pick}
            onCamera={() => {
              setCamera(true)
            }}
            onSample={(sample) => void takeSample(sample)}
          />
        )}
      </div>
      <aside className={styles['side']} aria-label="Prediction and settings">
        {run && picture ? (
          <section aria-labelledby="predictions">
            <h2 id="predictions">What the model says</h2>
            <Predictions predictions={run.predictions} target={run.target} onChoose={settings.chooseLabel} />
          </section>
        ) : null}
        <SettingsPanel settings={settings} />
        {run && picture ? (
          <details className={styles['facts']}>
            <summary>How this was made</summary>
            <RunFacts run={run} linked />
          </details>
        ) : null}
      </aside>
      {camera ? (
        <CameraDialog
          onPhoto={(photo) => {
            take(photo, 'Photo from the camera', 'The photo you took')
          }}
          onClose={() => {
            setCamera(false)
          }}
        />
      ) : null}
      {dragging && picture ? <p className={styles['dropHint']}>Let go to explain this photo instead</p> : null}
    </div>
  )
}
