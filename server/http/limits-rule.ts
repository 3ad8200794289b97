/** A GraphQL validation rule: how deep and how wide a document may be. The schema has no query that needs more. */
import {
  GraphQLError,
  Kind,
  type ASTVisitor,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql'

const DEEPEST = 12
const MOST_FIELDS = 2000
const MOST_ROOT_FIELDS = 50

interface Measure {
  readonly depth: number
  readonly fields: number
}

/** Fragments are counted wherever they are spread; those of a cycle are another rule's business. */
function measure(
  set: SelectionSetNode | undefined,
  context: ValidationContext,
  known: Map<FragmentDefinitionNode, Measure | null>,
): Measure {
  let depth = 0
  let fields = 0
  for (const selection of set?.selections ?? []) {
    let inner: Measure = { depth: 0, fields: 0 }
    if (selection.kind === Kind.FIELD) {
      // Introspection nests deep by nature and costs nothing.
      if (selection.name.value.startsWith('__')) continue
      const below = measure(selection.selectionSet, context, known)
      inner = { depth: below.depth + 1, fields: below.fields + 1 }
    } else if (selection.kind === Kind.INLINE_FRAGMENT) inner = measure(selection.selectionSet, context, known)
    else {
      const fragment = context.getFragment(selection.name.value)
      if (fragment != null) inner = measureFragment(fragment, context, known)
    }
    depth = Math.max(depth, inner.depth)
    fields += inner.fields
  }
  return { depth, fields }
}

function measureFragment(
  fragment: FragmentDefinitionNode,
  context: ValidationContext,
  known: Map<FragmentDefinitionNode, Measure | null>,
): Measure {
  const before = known.get(fragment)
  if (before !== undefined) return before ?? { depth: 0, fields: 0 }
  known.set(fragment, null) // being measured: a cycle ends here
  const result = measure(fragment.selectionSet, context, known)
  known.set(fragment, result)
  return result
}

function refuse(context: ValidationContext, message: string): void {
  context.reportError(new GraphQLError(message, { extensions: { code: 'BAD_INPUT' } }))
}

export function documentLimits(context: ValidationContext): ASTVisitor {
  const known = new Map<FragmentDefinitionNode, Measure | null>()
  return {
    OperationDefinition(operation) {
      const { depth, fields } = measure(operation.selectionSet, context, known)
      const roots = operation.selectionSet.selections.length
      if (depth > DEEPEST) refuse(context, `The document is ${depth} fields deep; at most ${DEEPEST} are allowed.`)
      if (fields > MOST_FIELDS)
        refuse(context, `The document asks for ${fields} fields; at most ${MOST_FIELDS} are allowed.`)
      if (roots > MOST_ROOT_FIELDS)
        refuse(
          context,
          `The document has ${roots} fields at its root; at most ${MOST_ROOT_FIELDS} are allowed. Send several.`,
        )
    },
  }
}
