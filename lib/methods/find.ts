import type { Modality } from '../models/card.ts'

/** The method of that id for that modality, or null: an id is unique among the methods of one modality only. */
export function methodFor<M extends { readonly id: string; readonly modality: Modality }>(
  methods: readonly M[],
  modality: Modality,
  id: string,
): M | null {
  return methods.find((method) => method.modality === modality && method.id === id) ?? null
}
