/** The one place that turns errors into what clients see: GraphQL errors, and JSON over plain HTTP. */
import { GraphQLError, isInputObjectType, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import { AppError, type ErrorCode } from '../lib/errors.ts'
import type { Logger } from './logger.ts'

/** The status of a plain HTTP answer. GraphQL answers 200 and says it in `errors`. */
const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  BAD_INPUT: 400,
  BAD_IMAGE: 400,
  IMAGE_TOO_LARGE: 413,
  BAD_TEXT: 400,
  TEXT_TOO_LONG: 413,
  UNKNOWN_MODEL: 404,
  UNKNOWN_METHOD: 404,
  UNKNOWN_LABEL: 400,
  UNKNOWN_LAYER: 400,
  BAD_PARAMETER: 400,
  WRONG_MODALITY: 400,
  METHOD_UNAVAILABLE: 400,
  NOT_DIFFERENTIABLE: 400,
  BAD_MODEL: 500,
  HUB_UNREACHABLE: 502,
  NOT_FOUND: 404,
  CONFLICT: 409,
  CANCELLED: 409,
  WORKER_LOST: 503,
  BAD_RESULT: 500,
  INTERNAL: 500,
}

/** Faults of ours, whose cause belongs in the log. */
function isOurs(code: ErrorCode): boolean {
  return HTTP_STATUS[code] >= 500
}

function present(thrown: unknown, log: Logger): AppError {
  const error = AppError.from(thrown)
  // A model file that cannot be read is said in a line: where in our code that was found out helps nobody.
  if (error.code === 'BAD_MODEL') log.error({ code: error.code }, error.message)
  else if (isOurs(error.code))
    log.error({ err: thrown instanceof Error ? thrown : error, code: error.code }, error.message)
  return error
}

/**
 * A GraphQL error as it is answered: what was thrown on purpose with its code and details, everything else masked as
 * INTERNAL and logged. Errors of GraphQL itself (syntax, validation, variables) pass.
 */
export function presentGraphQLError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
  schema: GraphQLSchema,
): GraphQLFormattedError {
  const original = error instanceof GraphQLError ? error.originalError : error
  // Without an original error, or with another GraphQL error as such (coercion), it is about the request.
  if (original == null || original instanceof GraphQLError) return aboutRequest(formatted, schema)
  const { code, userMessage, details } = present(original, log)
  const { locations, path } = formatted
  return {
    message: userMessage,
    ...(locations === undefined ? {} : { locations }),
    ...(path === undefined ? {} : { path }),
    extensions: { code, ...(Object.keys(details).length === 0 ? {} : { details }) },
  }
}

/** An input of which exactly one field is to be given: in a variable, and written in the document. */
const ONE_OF = /Exactly one key must be specified for OneOf type "(\w+)"|OneOf Input Object "(\w+)" must specify/

/** A request that GraphQL itself refuses: values that do not fit are our BAD_INPUT, with what would. */
function aboutRequest(formatted: GraphQLFormattedError, schema: GraphQLSchema): GraphQLFormattedError {
  const extensions: Record<string, unknown> = { code: 'BAD_INPUT', ...formatted.extensions }
  delete extensions['stacktrace']
  // A limit of ours is told by its details; Apollo calls whatever fails validation GRAPHQL_VALIDATION_FAILED.
  if (extensions['code'] === 'BAD_USER_INPUT' || 'details' in extensions) extensions['code'] = 'BAD_INPUT'
  const [, inVariable, inDocument] = ONE_OF.exec(formatted.message) ?? []
  const name = inVariable ?? inDocument
  const type = name === undefined ? undefined : schema.getType(name)
  if (type === undefined || !isInputObjectType(type)) return { ...formatted, extensions }
  const fields = Object.values(type.getFields()).map((field) => `${field.name} (${field.description ?? ''})`)
  const [where] = /at "([^"]+)"/.exec(formatted.message)?.slice(1) ?? []
  const message = `${where ?? type.name} must have exactly one of these, and not null: ${fields.join('; ')}`
  return { ...formatted, message, extensions: { ...extensions, code: 'BAD_INPUT' } }
}

export interface HttpError {
  readonly status: number
  readonly body: {
    readonly error: {
      readonly code: ErrorCode
      readonly message: string
      readonly details: Readonly<Record<string, unknown>>
    }
  }
}

export function presentHttpError(thrown: unknown, log: Logger): HttpError {
  const { code, userMessage, details } = present(thrown, log)
  return { status: HTTP_STATUS[code], body: { error: { code, message: userMessage, details } } }
}
