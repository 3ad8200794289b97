import type { Setup } from '../_graphql/types.ts'
import styles from './SettingsPanel.module.css'

const NAMES: Readonly<Record<string, string>> = { onnx: 'ONNX Runtime', tfjs: 'TensorFlow.js' }

/** What computes the model, and why it is that. */
export function EngineLine({ engine }: { readonly engine: Setup['engine'] }) {
  const line = `Computed by ${NAMES[engine.name] ?? engine.name} ${engine.version} on ${engine.backend}`
  if (engine.reason === '') return <p className={styles['aside']}>{line}</p>
  return (
    <details className={styles['aside']}>
      <summary>{line}</summary>
      <ul aria-label={`Why ${engine.backend}`}>
        {engine.reason.split('; ').map((part) => (
          <li key={part}>{part}</li>
        ))}
      </ul>
    </details>
  )
}
