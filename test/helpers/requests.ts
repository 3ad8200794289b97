/** GraphQL documents that several integration tests send. */
export const EXPLAIN = `mutation ($input: ExplainInput!, $waitMs: Int = 120000) {
  explain(input: $input, waitMs: $waitMs) { id status error { code message } }
}`

export interface Explained {
  readonly explain: {
    readonly id: string
    readonly status: string
    readonly error: { readonly code: string; readonly message: string } | null
  }
}

/** The cheapest question there is. */
export function textInput(text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: 'reviews-minilm', method: 'gradient-norm', text, ...more }
}
