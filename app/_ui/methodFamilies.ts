import { grouped } from './grouped.ts'

/** What the families of methods are called, in the order in which they are offered. */
const FAMILIES: readonly (readonly [family: string, title: string])[] = [
  ['CAM', 'Class activation maps'],
  ['gradient', 'Gradients'],
  ['relevance', 'Relevance'],
  ['perturbation', 'Perturbation'],
  ['attention', 'Attention'],
  ['concepts', 'Concepts'],
]

/** The families that methods are of; one that is not known here comes last, under its own name. */
export function methodFamilies<T>(all: readonly T[], familyOf: (one: T) => string) {
  const known = FAMILIES.map(([family]) => family)
  const others = [...new Set(all.map(familyOf))].filter((family) => !known.includes(family))
  const families = [...FAMILIES, ...others.map((family) => [family, family] as const)]
  return grouped(families, all, (one, [family]) => familyOf(one) === family)
}
