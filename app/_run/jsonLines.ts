/** JSON whose shape the pages do not know, as lines to read. */

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every value inside, with the path to it; what is null or empty is left out. */
export function lines(value: unknown, path = ''): readonly { readonly path: string; readonly value: string }[] {
  if (value === null || value === undefined || value === '') return []
  if (!isJsonObject(value)) return [{ path, value: typeof value === 'string' ? value : JSON.stringify(value) }]
  return Object.entries(value).flatMap(([key, inner]) => lines(inner, path === '' ? key : `${path} ${key}`))
}
