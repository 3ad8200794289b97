import type { Run } from '../_graphql/types.ts'
import { Notice } from '../_ui/Notice.tsx'

/** What the reader must know about a result, each in its own sentence. */
export function Diagnoses({ diagnoses }: { readonly diagnoses: Run['diagnoses'] }) {
  return diagnoses.map((diagnosis) => (
    <Notice key={`${diagnosis.code} ${diagnosis.message}`} tone={diagnosis.severity === 'WARNING' ? 'warning' : 'info'}>
      {diagnosis.message}
    </Notice>
  ))
}
