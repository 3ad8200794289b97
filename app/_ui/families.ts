/** What the families of methods are called, in the order in which they are offered. */
const FAMILIES: readonly (readonly [family: string, title: string])[] = [
  ['CAM', 'Class activation maps'],
  ['gradient', 'Gradients'],
  ['relevance', 'Relevance'],
  ['perturbation', 'Perturbation'],
  ['attention', 'Attention'],
  ['concepts', 'Concepts'],
]

interface FamilyMembers<T> {
  readonly family: string
  readonly title: string
  readonly members: readonly T[]
}

/** The families that have members; one that is not known here comes last, under its own name. */
export function byFamily<T>(all: readonly T[], familyOf: (one: T) => string): readonly FamilyMembers<T>[] {
  const known = FAMILIES.map(([family]) => family)
  const others = [...new Set(all.map(familyOf))].filter((family) => !known.includes(family))
  return [...FAMILIES, ...others.map((family) => [family, family] as const)]
    .map(([family, title]) => ({ family, title, members: all.filter((one) => familyOf(one) === family) }))
    .filter(({ members }) => members.length > 0)
}
