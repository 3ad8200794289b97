/** In groups as these are listed; those with nothing in them left out. */
export function grouped<G, T>(
  groups: readonly G[],
  all: readonly T[],
  belongs: (one: T, group: G) => boolean,
): readonly { readonly group: G; readonly members: readonly T[] }[] {
  return groups
    .map((group) => ({ group, members: all.filter((one) => belongs(one, group)) }))
    .filter(({ members }) => members.length > 0)
}
