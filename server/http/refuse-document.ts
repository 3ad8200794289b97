import { GraphQLError, type ValidationContext } from 'graphql'

/**
 * Refuses a document that is beyond a limit. The details are how presentGraphQLError knows an error of ours: Apollo
 * gives every validation error a code of its own.
 */
export function refuseDocument(
  context: ValidationContext,
  message: string,
  details: { readonly found: number; readonly most: number },
): void {
  context.reportError(new GraphQLError(message, { extensions: { code: 'BAD_INPUT', details } }))
}
