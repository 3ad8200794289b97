import type { CombinedError } from 'urql'

/** True where the server did not answer at all. */
export function isUnreachable(error: CombinedError): boolean {
  return error.networkError !== undefined && error.graphQLErrors.length === 0
}

/** The sentence to show for a failed request: the server's own where it gave one. */
export function sentence(error: CombinedError): string {
  const first = error.graphQLErrors[0]
  if (first) return first.message
  return 'Limelight’s server does not answer. Check that it is still running, then try again.'
}
