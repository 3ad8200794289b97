'use client'

import type { SamplePhoto } from './useSamples.ts'
import styles from './PhotoInput.module.css'

interface PhotoInputProps {
  readonly samples: readonly SamplePhoto[]
  readonly dragging: boolean
  readonly onPick: () => void
  readonly onCamera: () => void
  readonly onSample: (sample: SamplePhoto) => void
}

function Credit({ sample }: { readonly sample: SamplePhoto }) {
  return (
    <span className={styles['credit']}>
      {sample.author ? `${sample.author}, ` : ''}
      {sample.source}, {sample.licence}
    </span>
  )
}

/** All the ways to bring a photo: drop, paste, choose, camera, or one of the samples. */
export function PhotoInput({ samples, dragging, onPick, onCamera, onSample }: PhotoInputProps) {
  return (
    <div className={styles['input']}>
      <div className={styles['drop']} data-dragging={dragging}>
        <p className={styles['lead']}>
          {dragging ? 'Let go to explain this photo' : 'Drop a photo anywhere on this page'}
        </p>
        <p className={styles['hint']}>or paste one with Ctrl-V. It stays on this machine.</p>
        <div className={styles['buttons']}>
          <button type="button" data-variant="primary" onClick={onPick}>
            Choose a photo
          </button>
          <button type="button" onClick={onCamera}>
            Use the camera
          </button>
        </div>
      </div>
      {samples.length > 0 ? (
        <section aria-labelledby="samples">
          <h2 id="samples">Or try one of these</h2>
          <ul className={styles['samples']}>
            {samples.map((sample) => (
              <li key={sample.file}>
                <button
                  type="button"
                  aria-label={`Explain the sample “${sample.title}”`}
                  onClick={() => {
                    onSample(sample)
                  }}
                >
                  {/* Bundled, small and already the right size. */}
                  <img src={`/samples/${sample.file}`} alt={sample.alt} loading="lazy" />
                </button>
                <p>{sample.title}</p>
                <p>
                  {sample.url ? (
                    <a href={sample.url} target="_blank" rel="noreferrer">
                      <Credit sample={sample} />
                    </a>
                  ) : (
                    <Credit sample={sample} />
                  )}
                </p>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  )
}
