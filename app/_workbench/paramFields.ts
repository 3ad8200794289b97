/** A method's parameters, read out of its JSON Schema into the controls that the form knows. */

type ParamValue = string | number | boolean

interface NumberRange {
  readonly integer: boolean
  readonly min: number | undefined
  readonly max: number | undefined
}

type ParamControl =
  | { readonly kind: 'tap'; readonly spatial: boolean }
  | { readonly kind: 'choice'; readonly options: readonly ParamValue[] }
  | { readonly kind: 'boolean' }
  | ({ readonly kind: 'number' } & NumberRange)
  | ({ readonly kind: 'choice-or-number'; readonly options: readonly ParamValue[] } & NumberRange)
  | { readonly kind: 'text' }

export interface ParamField {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly fallback: unknown
  readonly control: ParamControl
}

type Schema = Readonly<Record<string, unknown>>

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {}
}

function isParamValue(value: unknown): value is ParamValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** The listed values of a schema: `enum`, `const`. */
function listed(schema: Schema): readonly ParamValue[] {
  if (Array.isArray(schema['enum'])) return schema['enum'].filter(isParamValue)
  return isParamValue(schema['const']) ? [schema['const']] : []
}

function bound(schema: Schema, inclusive: string): number | undefined {
  const value = schema[inclusive]
  // zod writes the largest safe integer for "no bound"
  return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined
}

function numberRange(schema: Schema): NumberRange {
  const integer = schema['type'] === 'integer'
  return { integer, min: bound(schema, 'minimum'), max: bound(schema, 'maximum') }
}

function isNumeric(schema: Schema): boolean {
  return schema['type'] === 'integer' || schema['type'] === 'number'
}

function readControl(schema: Schema): ParamControl {
  if (schema['tap'] !== undefined) return { kind: 'tap', spatial: schema['tap'] === 'spatial' }
  const values = listed(schema)
  if (values.length > 0) return { kind: 'choice', options: values }
  if (schema['type'] === 'boolean') return { kind: 'boolean' }
  if (isNumeric(schema)) return { kind: 'number', ...numberRange(schema) }
  const alternatives = [schema['anyOf'], schema['oneOf']]
    .flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
    .map(asSchema)
    .filter((alternative) => alternative['type'] !== 'null')
  const tap = alternatives.find((alternative) => alternative['tap'] !== undefined)
  if (tap) return readControl(tap)
  const options = alternatives.flatMap(listed)
  const numeric = alternatives.find((alternative) => isNumeric(alternative) && listed(alternative).length === 0)
  if (numeric && options.length > 0) return { kind: 'choice-or-number', options, ...numberRange(numeric) }
  if (numeric) return { kind: 'number', ...numberRange(numeric) }
  if (options.length > 0) return { kind: 'choice', options }
  return { kind: 'text' }
}

/** What a form has of them: those that are kept for older scripts alone are not offered. */
export function readFields(paramsSchema: unknown): readonly ParamField[] {
  return Object.entries(asSchema(asSchema(paramsSchema)['properties'])).flatMap(([name, value]) => {
    const schema = asSchema(value)
    if (schema['deprecated'] === true) return []
    return {
      name,
      title: typeof schema['title'] === 'string' ? schema['title'] : name,
      description: typeof schema['description'] === 'string' ? schema['description'] : '',
      fallback: schema['default'],
      control: readControl(schema),
    }
  })
}
