/**
 * A GraphQL validation rule: how much a document can answer, in values (fields, each as often as the lists around it
 * have items). Ours and not graphql-armor's cost limit, which counts fields as they are written: a list without a
 * `first` counts once there, a page size in a variable counts as one.
 */
import {
  isCompositeType,
  isListType,
  isNonNullType,
  isInterfaceType,
  isObjectType,
  Kind,
  getNamedType,
  type ASTVisitor,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql'
import { answerSizeOf, assumedSizeOf, type AnswerSize } from '../schema/answer-size.ts'
import { FragmentCounts } from './fragment-counts.ts'
import { refuseDocument } from './refuse-document.ts'

/** About 60 MB of JSON and two seconds of this process, measured on answers of numbers. */
const LARGEST_ANSWER = 3_000_000

/** The edges of a connection are as many as its page has; what stands beside them is there once. */
const PAGED_FIELD = 'edges'

type OutputField = GraphQLField<unknown, unknown>

/** What `first` asks for; what is there without it; in a variable it may be any, the largest. */
function askedFor(node: FieldNode, { default: unasked, largest }: NonNullable<AnswerSize['page']>): number {
  const asked = node.arguments?.find(({ name }) => name.value === 'first')?.value
  if (asked === undefined || asked.kind === Kind.NULL) return unasked
  return asked.kind === Kind.INT ? Math.min(Math.max(Number(asked.value), 1), largest) : largest
}

/** Edges of the page that is asked for. */
function pageSize(node: FieldNode, field: OutputField): number | null {
  const { page } = answerSizeOf(field.extensions)
  return page === undefined ? null : askedFor(node, page)
}

/** Items of a list that is no page. */
function listSize(node: FieldNode, size: AnswerSize): number {
  const assumed = assumedSizeOf(size)
  return size.cutByFirst === true ? askedFor(node, { default: assumed, largest: assumed }) : assumed
}

function isList({ type }: OutputField): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type)
}

function fieldOf(parent: GraphQLNamedType | undefined, name: string): OutputField | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined
}

/** Weighs selections. Fragments count wherever they are spread, and are weighed once for each page size around them. */
class Scales {
  readonly #context: ValidationContext
  readonly #fragments = new FragmentCounts()

  constructor(context: ValidationContext) {
    this.#context = context
  }

  /**
   * Values that the selections of an object of a type answer at most.
   * @param page size of the page that the object is a connection of; null where it is none
   */
  weigh(set: SelectionSetNode | undefined, parent: GraphQLNamedType | undefined, page: number | null): number {
    let values = 0
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) values += this.#weighField(selection, parent, page)
      else if (selection.kind === Kind.FRAGMENT_SPREAD) values += this.#weighFragment(selection.name.value, page)
      else values += this.weigh(selection.selectionSet, this.#type(selection.typeCondition) ?? parent, page)
    }
    return values
  }

  #weighField(node: FieldNode, parent: GraphQLNamedType | undefined, page: number | null): number {
    const field = fieldOf(parent, node.name.value)
    // __typename and the like; a field that there is not is another rule's business.
    if (field === undefined) return 1
    const size = answerSizeOf(field.extensions)
    const items = isList(field) ? (node.name.value === PAGED_FIELD && page !== null ? page : listSize(node, size)) : 1
    const type = getNamedType(field.type)
    const item = isCompositeType(type) ? 1 + this.weigh(node.selectionSet, type, pageSize(node, field)) : 1
    return (size.weight ?? 0) + items * item
  }

  #weighFragment(name: string, page: number | null): number {
    return this.#fragments.count(`${name} ${String(page)}`, () => {
      const fragment = this.#context.getFragment(name)
      return this.weigh(fragment?.selectionSet, this.#type(fragment?.typeCondition), page)
    })
  }

  #type(condition: { readonly name: { readonly value: string } } | undefined): GraphQLNamedType | undefined {
    return condition === undefined ? undefined : this.#context.getSchema().getType(condition.name.value)
  }
}

export function answerSizeRule(context: ValidationContext): ASTVisitor {
  const scales = new Scales(context)
  return {
    OperationDefinition(operation) {
      const root = context.getSchema().getRootType(operation.operation) ?? undefined
      const values = scales.weigh(operation.selectionSet, root, null)
      if (values <= LARGEST_ANSWER) return
      const [found, most] = [values, LARGEST_ANSWER].map((count) => count.toLocaleString('en'))
      refuseDocument(
        context,
        `The document can answer with ${found} values; at most ${most} are allowed. Ask for smaller pages (first), for less of each run, or for the values of a map at its npyUrl.`,
        { found: values, most: LARGEST_ANSWER },
      )
    },
  }
}
