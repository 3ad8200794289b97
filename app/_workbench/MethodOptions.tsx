import type { Setup } from '../_graphql/types.ts'

/** What the families are called, in the order in which they are offered. */
const FAMILIES: readonly (readonly [family: string, title: string])[] = [
  ['CAM', 'Class activation maps'],
  ['gradient', 'Gradients'],
  ['relevance', 'Relevance'],
  ['perturbation', 'Perturbation'],
  ['attention', 'Attention'],
  ['concepts', 'Concepts'],
]

/** The methods there are, by family; those that this model cannot be asked for are greyed. */
export function MethodOptions({ entries }: { readonly entries: Setup['methods'] }) {
  const known = FAMILIES.map(([family]) => family)
  const others = [...new Set(entries.map(({ method }) => method.family))].filter((family) => !known.includes(family))
  return [...FAMILIES, ...others.map((family) => [family, family] as const)].map(([family, title]) => {
    const members = entries.filter(({ method }) => method.family === family)
    return members.length === 0 ? null : (
      <optgroup key={family} label={title}>
        {members.map(({ method, available }) => (
          <option key={method.id} value={method.id} disabled={!available}>
            {method.title}
            {available ? '' : ' (not for this model)'}
          </option>
        ))}
      </optgroup>
    )
  })
}
