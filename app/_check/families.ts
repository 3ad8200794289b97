/** What metrics ask, family by family, and which are asked first. */
import type { Modality } from '../_graphql/generated/graphql.ts'
import type { Evaluation, OfferedMetric } from '../_graphql/types.ts'
import { grouped } from '../_ui/grouped.ts'

export interface Family {
  readonly id: Evaluation['metric']['family']
  readonly title: string
  /** Before "metric". */
  readonly adjective: string
  readonly question: string
  /** What the controls mean here, where it is not what one would think. */
  readonly controls?: string
}

const FAMILIES: readonly Family[] = [
  {
    id: 'FAITHFULNESS',
    title: 'Faithfulness',
    adjective: 'faithfulness',
    question: 'Does it follow what the model does?',
  },
  {
    id: 'SANITY',
    title: 'Randomisation',
    adjective: 'randomisation',
    question: 'Does it depend on the class and on what the model learnt?',
    controls:
      'The controls do not look at the model, so they stay as they are, the worst there is: an explanation near them explains the input alone.',
  },
  {
    id: 'LOCALISATION',
    title: 'Localisation',
    adjective: 'localisation',
    question: 'Does it lie where you marked the picture?',
  },
  {
    id: 'PLAUSIBILITY',
    title: 'Plausibility',
    adjective: 'plausibility',
    question: 'Does it lie on the words you marked?',
  },
  {
    id: 'ROBUSTNESS',
    title: 'Robustness',
    adjective: 'robustness',
    question: 'Does it stay the same where the input hardly changes?',
    controls:
      'Random and uniform controls never change with the input and so reach the best there is: being stable says nothing by itself.',
  },
  {
    id: 'COMPLEXITY',
    title: 'Complexity',
    adjective: 'complexity',
    question: 'Is it short?',
    controls: 'A short explanation is easier to read, not truer: the controls show the scale, not chance.',
  },
]

export function familyOf(id: Family['id']): Family {
  const found = FAMILIES.find((family) => family.id === id)
  if (found === undefined) throw new Error(`There is no family ${id}.`)
  return found
}

/** In groups as {@link FAMILIES} lists them. */
export function metricFamilies<T extends { readonly metric: { readonly family: Family['id'] } }>(all: readonly T[]) {
  return grouped(FAMILIES, all, ({ metric }, { id }) => metric.family === id)
}

/** A first look that takes seconds: several of each kind, so that they can disagree. */
const FIRST: Readonly<Record<Modality, readonly string[]>> = {
  IMAGE: [
    'deletion',
    'insertion',
    'average-drop',
    'average-gain',
    'completeness-error',
    'random-logit',
    'gini',
    'pointing-game',
    'energy-inside',
    'top-k-intersection',
  ],
  TEXT: [
    'comprehensiveness',
    'sufficiency',
    'log-odds',
    'completeness-error',
    'random-logit',
    'gini',
    'auprc',
    'token-f1',
  ],
}

/** Forward passes above which a metric is asked only by choice. */
const QUICK_PASSES = 2000

/** Why it cannot be asked of this run; null where it can. */
export function whyNot({ metric, reason }: OfferedMetric, isMarked: boolean, modality: Modality): string | null {
  if (reason !== null) return reason
  if (!metric.needsAnnotation || isMarked) return null
  return modality === 'IMAGE'
    ? 'Needs a box: draw one on the picture first.'
    : 'Needs marked words: annotate some first.'
}

/** The ids of what is asked first, of what is on offer for this run. */
export function quickOnes(offered: readonly OfferedMetric[], isMarked: boolean, modality: Modality): readonly string[] {
  return offered
    .filter((offer) => FIRST[modality].includes(offer.metric.id) && whyNot(offer, isMarked, modality) === null)
    .filter(({ passes }) => passes === null || passes <= QUICK_PASSES)
    .map(({ metric }) => metric.id)
}
