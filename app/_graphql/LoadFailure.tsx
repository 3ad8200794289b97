import type { CombinedError } from 'urql'
import { Notice } from '../_ui/Notice.tsx'
import { sentence } from './sentence.ts'

/** Why something could not be loaded, and another try. */
export function LoadFailure({ error, onRetry }: { readonly error: CombinedError; readonly onRetry: () => void }) {
  return (
    <Notice
      tone="error"
      action={
        <button type="button" data-size="small" onClick={onRetry}>
          Try again
        </button>
      }
    >
      {sentence(error)}
    </Notice>
  )
}
