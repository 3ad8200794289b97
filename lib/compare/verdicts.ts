/**
 * What several metrics say of several methods, in sentences: which metrics order the methods differently, and which methods no
 * metric tells from chance. Metrics of explanations often disagree (LATEC, Klein et al. 2024, 2409.16756), so no single score
 * decides which method is better.
 */
import type { Metric } from '../metrics/metric.ts'
import { kendallTau, type Interval } from '../metrics/shared/statistics.ts'

/** What a metric says of one method. */
export interface Score {
  /** null where the metric is not defined for it, or has not been asked. */
  readonly value: number | null
  /** 95 % of the mean that random numbers reach there. */
  readonly random: Interval | null
}

/** One metric with its parameters. */
export interface Column {
  readonly title: string
  readonly better: Metric['better']
  /** One a method, in the order of the methods. */
  readonly scores: readonly Score[]
}

/** How alike two metrics order the methods. */
export interface Agreement {
  /** Places of the two among the columns. */
  readonly first: number
  readonly second: number
  /** Kendall's tau-b, better counting as better for both: 1 the same order, -1 the reverse. null where one ranks all alike. */
  readonly tau: number | null
  /** Methods for which both are defined. */
  readonly methods: number
}

/** Sentences about pairs of metrics at most; what is left out is counted. */
const MOST_PAIRS = 5

function goodness({ better, scores }: Column): readonly (number | null)[] {
  return scores.map(({ value }) => (value === null ? null : better === 'higher' ? value : -value))
}

/** Each pair of metrics that are both defined for two methods or more. */
export function agreementsOf(columns: readonly Column[]): readonly Agreement[] {
  const good = columns.map(goodness)
  return columns.flatMap((_, second) =>
    Array.from({ length: second }, (_unused, first): Agreement => {
      const both = (good[first] ?? []).flatMap((one, at) => {
        const other = good[second]?.[at] ?? null
        return one === null || other === null ? [] : [[one, other] as const]
      })
      const tau = both.length < 2 ? null : kendallTau(both.map(([one]) => one), both.map(([, other]) => other)) // prettier-ignore
      return { first, second, tau, methods: both.length }
    }).filter(({ methods }) => methods > 1),
  )
}

/** The methods that a metric puts first, of those that another is defined for too. */
function firstBy(column: Column, other: Column, methods: readonly string[]): string {
  const good = goodness(column).map((one, at) => ((other.scores[at]?.value ?? null) === null ? null : one))
  const best = good.reduce<number>((most, one) => Math.max(most, one ?? -Infinity), -Infinity)
  return listed(methods.filter((_, at) => good[at] === best))
}

function listed(names: readonly string[]): string {
  const [last] = names.slice(-1)
  return names.length < 2 ? (last ?? '') : `${names.slice(0, -1).join(', ')} and ${last ?? ''}`
}

const signed = (tau: number): string => tau.toFixed(2).replace('-', '\u2212')

function aboutPairs(columns: readonly Column[], methods: readonly string[]): readonly string[] {
  const told = agreementsOf(columns).flatMap(({ tau, ...pair }) => (tau === null ? [] : [{ ...pair, tau }]))
  const apart = told.filter(({ tau }) => tau <= 0).toSorted((a, b) => a.tau - b.tau)
  const sentences = apart.slice(0, MOST_PAIRS).map(({ first, second, tau, methods: count }) => {
    const [one, other] = [columns[first], columns[second]]
    if (one === undefined || other === undefined) return ''
    const order = tau === -1 ? 'order the methods in reverse of each other' : 'order the methods differently'
    return `${one.title} and ${other.title} ${order} (Kendall's tau ${signed(tau)} over ${count} methods): the first prefers ${firstBy(one, other, methods)}, the second ${firstBy(other, one, methods)}.`
  })
  const more = apart.length - sentences.length
  if (more > 0) sentences.push(`${more} more ${more === 1 ? 'pair' : 'pairs'} of metrics disagree as well.`)
  if (apart.length === 0 && told.length > 0)
    sentences.push(
      `The metrics order the methods more alike than not (least Kendall's tau ${signed(Math.min(...told.map(({ tau }) => tau)))} of ${told.length} ${told.length === 1 ? 'pair' : 'pairs'}).`,
    )
  return sentences
}

/** Better than the interval of chance, on the side where better lies. */
function beatsChance({ value, random }: Score, better: Column['better']): boolean {
  if (value === null || random === null) return false
  return better === 'higher' ? value > random[1] : value < random[0]
}

function aboutChance(columns: readonly Column[], methods: readonly string[]): readonly string[] {
  return methods.flatMap((method, at) => {
    const asked = columns.flatMap(({ scores, better }) => {
      const score = scores[at]
      return score === undefined || score.value === null || score.random === null ? [] : [beatsChance(score, better)]
    })
    if (asked.length === 0 || asked.includes(true)) return []
    const none =
      asked.length === 1 ? 'The one metric that was asked does not tell' : `None of ${asked.length} metrics tells`
    return [`${none} ${method} from random numbers: as far as they see, it knows nothing of the model.`]
  })
}

/**
 * What is to be said before anybody reads a single score.
 * @param methods what each is called, unlike the others
 */
export function sentencesOf(columns: readonly Column[], methods: readonly string[]): readonly string[] {
  const scored = columns.filter(({ scores }) => scores.some(({ value }) => value !== null))
  const [only] = scored
  const alone =
    scored.length === 1 && only !== undefined && methods.length > 1
      ? [`${only.title} alone does not tell which method is better: metrics often disagree. Ask others beside it.`]
      : []
  return [...alone, ...aboutPairs(scored, methods), ...aboutChance(scored, methods)]
}

/** Names told apart: what stands more than once is numbered. */
export function distinct(names: readonly string[]): readonly string[] {
  return names.map((name, at) => {
    const alike = names.filter((other) => other === name).length
    return alike === 1 ? name : `${name} (${names.slice(0, at + 1).filter((other) => other === name).length})`
  })
}
