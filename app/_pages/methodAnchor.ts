import type { Modality } from '../_graphql/generated/graphql.ts'

/** Where on the methods' page a method's card is: its id may serve pictures and texts both. */
export function methodAnchor(modality: Modality, id: string): string {
  return `${modality.toLowerCase()}-${id}`
}
