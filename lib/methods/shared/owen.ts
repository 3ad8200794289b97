/**
 * Owen values of a game whose players are grouped in a binary tree, as shap's PartitionExplainer computes them: a group's
 * worth is parted between its two halves as a Shapley value of two players, in each of the contexts that the groups above
 * leave (both siblings hidden or shown). Players of one group are never parted by a coalition before the group itself is.
 *
 * Letters: M players, f00 and f11 a group's context without and with it, f10 and f01 with its left or right half alone.
 */
import { nobody, type Coalition, type Game } from './coalitions.ts'

export interface Cluster {
  readonly players: readonly number[]
  /** null for a single player. */
  readonly halves: readonly [Cluster, Cluster] | null
}

/** A tree over clusters in their order, halved again and again; the first half is the larger one. */
export function balancedTree(clusters: readonly Cluster[]): Cluster {
  const [only] = clusters
  if (only === undefined) throw new RangeError('a tree of nothing')
  if (clusters.length === 1) return only
  const middle = Math.ceil(clusters.length / 2)
  const halves = [balancedTree(clusters.slice(0, middle)), balancedTree(clusters.slice(middle))] as const
  return { players: halves.flatMap(({ players }) => players), halves }
}

export const leaf = (player: number): Cluster => ({ players: [player], halves: null })

/** Contexts opened between two looks at which are next: fixed, so that the values do not depend on how many texts are asked at once. */
const AT_ONCE = 8

interface Context {
  readonly cluster: Cluster
  /** Who is there beside it. */
  readonly around: Coalition
  readonly f00: number
  readonly f11: number
  /** Share of the orders in which this context comes up. */
  readonly weight: number
}

interface OwenValues {
  /** One a player, [M]; they add up to f11 - f00 of the whole tree. */
  readonly values: readonly number[]
  /** Predictions asked for. */
  readonly asked: number
  /** Players that some of their groups' worth is shared among evenly, as the predictions allowed were spent. */
  readonly coarse: number
}

const stake = ({ f00, f11, weight }: Context): number => Math.abs(f11 - f00) * weight

function withPlayers(around: Coalition, { players }: Cluster): Coalition {
  const coalition = around.slice()
  for (const player of players) coalition[player] = 1
  return coalition
}

/** The context with the most at stake, the first of several; taken out. */
function takeNext(open: Context[]): Context | undefined {
  let best = 0
  for (let at = 1; at < open.length; at += 1) if (stake(open[at] as Context) > stake(open[best] as Context)) best = at
  return open.splice(best, 1)[0]
}

/**
 * @param ends v(nobody) and v(everybody)
 * @param evaluations predictions at most; the contexts with the most at stake are opened first
 */
export async function owenValues(
  game: Game,
  tree: Cluster,
  ends: { readonly empty: number; readonly full: number },
  evaluations: number,
  progress: (share: number) => void,
): Promise<OwenValues> {
  const values = new Float64Array(game.players)
  const coarse = new Set<number>()
  const credit = ({ cluster, f00, f11, weight }: Context): void => {
    for (const player of cluster.players)
      values[player] = (values[player] as number) + ((f11 - f00) * weight) / cluster.players.length
  }
  const open: Context[] = []
  const put = (context: Context): void => {
    if (context.cluster.halves === null) credit(context)
    else open.push(context)
  }
  put({ cluster: tree, around: nobody(game.players), f00: ends.empty, f11: ends.full, weight: 1 })
  let asked = 0
  while (open.length > 0 && asked + 2 <= evaluations) {
    const next: Context[] = []
    while (next.length < AT_ONCE && asked + 2 * next.length + 2 <= evaluations) {
      const one = takeNext(open)
      if (one === undefined) break
      next.push(one)
    }
    const parted = next.map(({ around, cluster }) => (cluster.halves ?? []).map((half) => withPlayers(around, half)))
    const worths = await game.worths(parted.flat(), () => undefined)
    asked += worths.length
    next.forEach(({ cluster, around, f00, f11, weight }, at) => {
      if (cluster.halves === null) return
      const [left, right] = cluster.halves
      const [withLeft = around, withRight = around] = parted[at] ?? []
      const [f10 = NaN, f01 = NaN] = worths.subarray(2 * at)
      put({ cluster: left, around, f00, f11: f10, weight: weight / 2 })
      put({ cluster: right, around, f00, f11: f01, weight: weight / 2 })
      put({ cluster: left, around: withRight, f00: f01, f11, weight: weight / 2 })
      put({ cluster: right, around: withLeft, f00: f10, f11, weight: weight / 2 })
    })
    progress(Math.min(1, asked / evaluations))
  }
  for (const context of open) {
    credit(context)
    context.cluster.players.forEach((player) => coarse.add(player))
  }
  return { values: [...values], asked, coarse: coarse.size }
}
