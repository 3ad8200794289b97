/** How a value stands to what the controls reach: whether the explanation beats attributions that know nothing of the model. */
import type { Control, Evaluation, Interval } from '../_graphql/types.ts'

type ControlId = 'random' | 'uniform' | 'edges'
export const CONTROL_IDS: readonly ControlId[] = ['random', 'uniform', 'edges']

/** Families whose controls know nothing and can win or lose. The others' controls are at one end by construction. */
const COMPARED: readonly Evaluation['metric']['family'][] = ['FAITHFULNESS', 'LOCALISATION', 'PLAUSIBILITY']

/** Metrics of these families that are no contest with chance, and why. */
const NO_CONTEST: Readonly<Record<string, string>> = {
  increase: 'a yes or no: one input cannot tell it from chance',
  'pointing-game': 'a yes or no: one input cannot tell it from chance',
  'completeness-error': 'whether it adds up, near 0, or not: chance is no measure of that',
}

export function controlIn({ controls }: Pick<Evaluation, 'controls'>, id: string): Control | undefined {
  return controls.find((control) => control.id === id)
}

/**
 * Where 95 % of single random attributions would lie, from the interval of their mean: with n seeds, the prediction interval by
 * Student's t is √(n + 1) times as wide. One explanation is one attribution, so it is this that it has to leave.
 */
export function singleRandom({ value, interval, samples }: Control): Interval | null {
  if (value === null || interval === null) return null
  const half = ((interval.high - interval.low) / 2) * Math.sqrt(samples + 1)
  return { low: value - half, high: value + half }
}

/** True where the value can be compared with the controls at all. */
function isCompared({ metric, value }: Pick<Evaluation, 'metric' | 'value'>): boolean {
  return value !== null && COMPARED.includes(metric.family) && NO_CONTEST[metric.id] === undefined
}

type Standing = 'better' | 'worse' | 'open'

/**
 * How the explanation stands to a control: `better` or `worse` with the whole of its interval, where it has one, beyond the
 * control's value, and for `random` beyond where single random attributions lie; else `open`.
 * @returns null where the two cannot be compared
 */
function standingTo(evaluation: Evaluation, id: ControlId): Standing | null {
  const { value, interval, metric } = evaluation
  const control = controlIn(evaluation, id)
  if (!isCompared(evaluation) || value === null || control === undefined || control.value === null) return null
  const reach = (id === 'random' ? singleRandom(control) : null) ?? { low: control.value, high: control.value }
  const own = interval ?? { low: value, high: value }
  const isHigher = metric.better === 'HIGHER'
  if (own.low > reach.high) return isHigher ? 'better' : 'worse'
  if (own.high < reach.low) return isHigher ? 'worse' : 'better'
  return 'open'
}

/** Whether it is better than a control; null where the two cannot be compared. */
export function beats(evaluation: Evaluation, id: ControlId): boolean | null {
  const standing = standingTo(evaluation, id)
  return standing === null ? null : standing === 'better'
}

/** What is said of random ones: they scatter, so what they leave open is not proved to be no better. */
const BESIDE_RANDOM: Readonly<Record<Standing, string | null>> = {
  better: null,
  worse: 'worse than random',
  open: 'not clearly better than random',
}

/** In a few words, for the table. Empty where there is nothing to compare. */
export function standingInWords(evaluation: Evaluation): string {
  if (evaluation.value === null) return ''
  const reason = NO_CONTEST[evaluation.metric.id]
  if (reason !== undefined) return reason
  const told = CONTROL_IDS.map((id) => ({ id, better: beats(evaluation, id) }))
  const won = told.filter(({ better }) => better === true).map(({ id }) => id)
  const toRandom = standingTo(evaluation, 'random')
  const lost = told.filter(({ id, better }) => better === false && id !== 'random').map(({ id }) => id)
  return [
    toRandom === null ? null : BESIDE_RANDOM[toRandom],
    lost.length > 0 ? `no better than ${listed(lost)}` : null,
    won.length > 0 ? `better than ${listed(won)}` : null,
  ]
    .filter((part) => part !== null)
    .join('; ')
}

export function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names)
}
