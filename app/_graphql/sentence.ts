import type { CombinedError } from 'urql'

const OUR_FAULTS: readonly unknown[] = ['INTERNAL', 'WORKER_LOST']

/** True where asking the same again may work: no answer at all, or a fault that is not in the question. */
export function isTransient(error: CombinedError): boolean {
  const [first] = error.graphQLErrors
  return first === undefined || OUR_FAULTS.includes(first.extensions['code'])
}

/** The sentence to show for a failed request: the server's own where it gave one. */
export function sentence(error: CombinedError): string {
  const first = error.graphQLErrors[0]
  if (first) return first.message
  return 'Limelight’s server does not answer. Check that it is still running, then try again.'
}
