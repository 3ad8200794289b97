/** How large a GraphQL document may be. No query of the pages or the docs needs more. */
import { ApolloArmor } from '@escape.tech/graphql-armor'
import {
  type GraphQLError,
  Kind,
  parse,
  type ASTVisitor,
  type ParseOptions,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'
import { answerSizeRule } from './answer-size-rule.ts'
import { FragmentCounts } from './fragment-counts.ts'
import { refuseDocument } from './refuse-document.ts'

const MOST = { depth: 12, aliases: 2000, directives: 50, rootFields: 50, tokens: 20_000 } as const

/** graphql-js counts words and signs while it reads, and stops. */
export const PARSE_OPTIONS: ParseOptions = { maxLexicalTokens: MOST.tokens }

export const parseLimited: typeof parse = (source, options) => parse(source, { ...options, ...PARSE_OPTIONS })

/** A limit of graphql-armor, refused in our words. Its error tells how much it found in its sentence only. */
function limit(most: number, sentence: (found: string) => string) {
  return {
    n: most,
    propagateOnRejection: false,
    onReject: [
      (context: ValidationContext | null, error: GraphQLError) => {
        const found = Number(/found (\d+)/.exec(error.message)?.[1] ?? NaN)
        const message = `The document ${sentence(String(found))}; at most ${String(most)} are allowed.`
        if (context !== null) refuseDocument(context, message, { found, most })
      },
    ],
  }
}

/** Limits that graphql-armor has. Not its cost limit (see answer-size-rule.ts), nor its own reader that counts tokens. */
const { validationRules: armor } = new ApolloArmor({
  maxDepth: { ...limit(MOST.depth, (found) => `is ${found} fields deep`), flattenFragments: true },
  maxAliases: limit(MOST.aliases, (found) => `has ${found} aliases`),
  maxDirectives: limit(MOST.directives, (found) => `has ${found} directives`),
  costLimit: { enabled: false },
  maxTokens: { enabled: false },
  blockFieldSuggestion: { enabled: false },
}).protect()

/**
 * Ours, for graphql-armor has none: each field at the root is a job of its own (a mutation, a search), whatever it
 * answers. Through fragments too.
 */
function rootFieldsRule(context: ValidationContext): ASTVisitor {
  const fragments = new FragmentCounts()
  const count = (set: SelectionSetNode | undefined): number =>
    (set?.selections ?? []).reduce((sum, selection) => {
      if (selection.kind === Kind.FIELD) return sum + 1
      if (selection.kind === Kind.INLINE_FRAGMENT) return sum + count(selection.selectionSet)
      const name = selection.name.value
      return sum + fragments.count(name, () => count(context.getFragment(name)?.selectionSet))
    }, 0)
  return {
    OperationDefinition({ selectionSet }) {
      const fields = count(selectionSet)
      if (fields > MOST.rootFields)
        refuseDocument(
          context,
          `The document has ${String(fields)} fields at its root; at most ${String(MOST.rootFields)} are allowed. Send several.`,
          { found: fields, most: MOST.rootFields },
        )
    },
  }
}

/** Every rule about size, for HTTP and WebSocket alike. */
export const documentLimits: readonly ValidationRule[] = [...armor, rootFieldsRule, answerSizeRule]
