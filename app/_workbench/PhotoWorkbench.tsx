'use client'

import { useRef, useState } from 'react'
import { usePageCommands } from '../_actions/ActionProvider.tsx'
import type { Run } from '../_graphql/types.ts'
import { Diagnoses } from '../_run/Diagnoses.tsx'
import { describe, layerOf } from '../_run/describe.ts'
import { ImageResult } from '../_run/ImageResult.tsx'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import { CameraDialog } from './CameraDialog.tsx'
import { LayerStrip } from './LayerStrip.tsx'
import { PhotoInput } from './PhotoInput.tsx'
import { RunActions } from './RunActions.tsx'
import { RunStatusLine } from './RunStatusLine.tsx'
import { useEarlierRun } from './useEarlierRun.ts'
import { useExplanation } from './useExplanation.ts'
import { useIncomingPhotos } from './useIncomingPhotos.ts'
import { useLayerStrip } from './useLayerStrip.ts'
import { usePicture, type Picture } from './usePicture.ts'
import { isSamplePhoto, useSamples, type SamplePhoto } from './useSamples.ts'
import { useSettings } from './useSettings.ts'
import { WorkbenchSide } from './WorkbenchSide.tsx'
import styles from './Workbench.module.css'

/** Of the picture that is shown: the chosen file, or where the browser cannot show it, the server's copy. */
function extentOf(
  { url, width, height }: Picture,
  run: Run | null,
): { readonly width: number; readonly height: number } {
  return url ? { width, height } : { width: run?.image?.width ?? width, height: run?.image?.height ?? height }
}

/** Bring a photo; see what the model says and which pixels made it say so. */
export function PhotoWorkbench({ earlierRunId }: { readonly earlierRunId: string | null }) {
  const bench = usePicture()
  const { picture } = bench
  const settings = useSettings('IMAGE', picture?.key ?? '')
  const samples = useSamples('/samples/samples.json', isSamplePhoto)
  const [camera, setCamera] = useState(false)
  const [sampleError, setSampleError] = useState<string | null>(null)
  const fileInput = useRef<HTMLInputElement>(null)

  const assetId = picture?.upload.kind === 'stored' ? picture.upload.assetId : null
  const { question } = settings
  const input =
    question && picture && assetId !== null ? { ...question, image: { assetId }, name: picture.fileName } : null
  const explaining = useExplanation(input)
  const { run } = explaining
  const strip = useLayerStrip(input, settings)

  const earlier = useEarlierRun(earlierRunId, 'IMAGE', (found: Run) => {
    if (!found.image) return
    settings.adopt(found, found.image.id)
    bench.restore(found.image, found.name ?? null)
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

  usePageCommands({
    choosePhoto: pick,
    ...(explaining.pending?.id ? { cancel: () => void explaining.cancel() } : {}),
  })

  // A picture that the server will not take is not shown either: it may be a single pixel, or no picture at all.
  const isRefused = picture?.upload.kind === 'failed' && !picture.upload.transient
  const shownUrl = picture?.url ?? run?.image?.url ?? null
  const shown = picture && shownUrl !== null ? { url: shownUrl, ...extentOf(picture, run), alt: picture.alt } : null
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
            {!picture ? (
              <p className={styles['about']}>Bring a photo of an animal, a thing, a place or a dish.</p>
            ) : null}
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
            {isRefused ? null : (
              <div className={styles['canvas']}>
                {picture.upload.kind === 'sending' ? (
                  <Progress label="Handing the photo to the model…" fraction={picture.upload.fraction} />
                ) : (
                  <RunStatusLine
                    state={explaining}
                    over={run !== null}
                    subject={settings.method?.title ?? 'The explanation'}
                    onCancel={() => void explaining.cancel()}
                    onRetry={explaining.ask}
                  />
                )}
                {shown ? (
                  <div className={styles['live']} data-stale={explaining.pending !== null && run !== null}>
                    <ImageResult
                      picture={shown}
                      run={run}
                      onChanged={() => void explaining.refresh()}
                      strip={(display) => (
                        <LayerStrip strip={strip} picture={shown} display={display} current={layerOf(run)} />
                      )}
                    >
                      {run ? <Diagnoses diagnoses={run.diagnoses} /> : null}
                    </ImageResult>
                  </div>
                ) : (
                  <p className={styles['placeholder']}>
                    This browser cannot show this kind of file. It appears once Limelight has read it.
                  </p>
                )}
              </div>
            )}
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
      <WorkbenchSide run={picture ? run : null} settings={settings} />
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
