/** A method's parameters, parsed by its own schema; what is wrong is said field by field. */
import { z } from 'zod'
import { AppError } from '../errors.ts'
import type { Description } from './description.ts'
import { didYouMean, listed, quoted } from '../suggest.ts'

type Issue = z.core.$ZodIssue
/** A method, a metric or a generator. */
type Described = Pick<Description<unknown>, 'id' | 'title' | 'params'>

/** The names of the fields the method takes. */
function fieldsOf(method: Described): string[] {
  return method.params instanceof z.ZodObject ? Object.keys(method.params.shape) : []
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      inner !== null && typeof inner === 'object' ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  )
}

/** A union's own message says nothing ("Invalid input"); the field's description says what it takes. */
function allowedBy(issue: Issue, method: Described): string {
  const [field] = issue.path
  if (issue.code === 'invalid_union' && method.params instanceof z.ZodObject && typeof field === 'string') {
    const schema: unknown = method.params.shape[field]
    if (schema instanceof z.ZodType && schema.description !== undefined)
      return `it cannot be that. ${schema.description.replace(/\.$/, '')}`
  }
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
}

function sentence(issue: Issue, params: unknown, method: Described): string {
  if (issue.code === 'unrecognized_keys') {
    const fields = fieldsOf(method)
    const [key = ''] = issue.keys
    const takes = fields.length === 0 ? `${method.title} takes no parameters` : `It takes ${listed(fields)}`
    return `there is no parameter ${quoted(key)}.${didYouMean(key, fields)} ${takes}.`
  }
  const field = issue.path.join('.')
  const found = valueAt(params, issue.path)
  const what = found === undefined ? 'is missing' : `is ${quoted(found)}`
  const allowed =
    issue.code === 'invalid_value' ? `it must be one of ${listed(issue.values.map(String))}` : allowedBy(issue, method)
  return field === '' ? `${allowed}.` : `${field} ${what}: ${allowed}.`
}

/**
 * @param params as given; null stands for none
 * @returns the parameters with every default filled in
 * @throws AppError BAD_PARAMETER naming each field, what was found and what is allowed
 */
export function parseParams(method: Described, params: unknown): unknown {
  const given = params ?? {}
  const parsed = method.params.safeParse(given)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  throw new AppError({
    code: 'BAD_PARAMETER',
    message: `${method.title}: ${issues.map((issue) => sentence(issue, given, method)).join(' ')}`,
    details: {
      method: method.id,
      issues: issues.map((issue) => ({ field: issue.path.join('.'), code: issue.code, message: issue.message })),
      allowed: fieldsOf(method),
    },
  })
}
