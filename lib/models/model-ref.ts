/** What names a model wherever it lies: its id and what it is made of, `<id>@<sha256>`. */
import { z } from 'zod'

/** sha256 in hexadecimal. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha256: 64 hexadecimal digits')

export const modelRef = z.string().regex(/^[a-z0-9][a-z0-9-]*@[0-9a-f]{64}$/, 'expected <model id>@<sha256>')

export function refOf({ id, sha256: hash }: { readonly id: string; readonly sha256: string }): string {
  return `${id}@${hash}`
}

/** The id in a reference. */
export function idIn(ref: string): string {
  return ref.slice(0, ref.lastIndexOf('@'))
}
