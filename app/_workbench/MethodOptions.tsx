import type { Setup } from '../_graphql/types.ts'
import { methodFamilies } from '../_ui/methodFamilies.ts'

/** The methods there are, by family; those that this model cannot be asked for are greyed. */
export function MethodOptions({ entries }: { readonly entries: Setup['methods'] }) {
  return methodFamilies(entries, ({ method }) => method.family).map(({ group: [family, title], members }) => (
    <optgroup key={family} label={title}>
      {members.map(({ method, available }) => (
        <option key={method.id} value={method.id} disabled={!available}>
          {method.title}
          {available ? '' : ' (not for this model)'}
        </option>
      ))}
    </optgroup>
  ))
}
