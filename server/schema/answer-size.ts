/**
 * What a field can add to an answer, said beside the field, so that a document can be weighed before it is executed
 * (server/http/answer-size-rule.ts). Terms of the GraphQL Cost Directives specification
 * (https://ibm.github.io/graphql-specs/cost-spec.html), whose directives Pothos' fields carry as extensions.
 */
export interface AnswerSize {
  /** What the field costs besides what it answers, in values: rows that are read whole, rows that are counted. Default 1. */
  readonly weight?: number
  /** Items of a list whose length nobody asks for: as many as a large but usual one has. */
  readonly assumedSize?: number
  /** For a list: it is cut to as many items as its argument `first` says, where that is given. */
  readonly cutByFirst?: boolean
  /** For a connection: how many edges it has by its argument `first`. */
  readonly page?: { readonly default: number; readonly largest: number }
}

/** For a list whose field says nothing. */
const UNSTATED_SIZE = 100

/** The `extensions` of a field. */
export function answerSize(size: AnswerSize): { readonly answerSize: AnswerSize } {
  return { answerSize: size }
}

/** What a field's extensions say. */
export function answerSizeOf(extensions: Readonly<Record<string, unknown>>): AnswerSize {
  return (extensions as { readonly answerSize?: AnswerSize }).answerSize ?? {}
}

export function assumedSizeOf({ assumedSize = UNSTATED_SIZE }: AnswerSize): number {
  return assumedSize
}
