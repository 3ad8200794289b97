import type { Link, TargetKind } from '../_graphql/generated/graphql.ts'

/** Which number of the class is explained. */
export interface ExplainedNumber {
  readonly kind: TargetKind
  /** Of a margin: the other class; null for the mean of all others. */
  readonly against: string | null
}

export const LOGIT: ExplainedNumber = { kind: 'LOGIT', against: null }

interface Choice {
  readonly kind: TargetKind
  readonly title: string
  readonly about: string
  /** Whether a model with this link and so many classes has such a number. */
  readonly has: (link: Link, classes: number) => boolean
}

export const NUMBERS: readonly Choice[] = [
  {
    kind: 'LOGIT',
    title: 'Its score (logit)',
    about: 'The score before it becomes a probability. It reacts also where the probability is near 0 or 1.',
    has: () => true,
  },
  {
    kind: 'MARGIN',
    title: "Its score less another class's",
    about: 'Why this class and not the other one.',
    has: (_, classes) => classes > 1,
  },
  {
    kind: 'PROBABILITY',
    title: 'Its probability',
    about: 'Hardly reacts to anything where it is near 0 or 1.',
    has: (link) => link !== 'NONE',
  },
  {
    kind: 'LOG_ODDS',
    title: 'Its log-odds',
    about: 'Against all other classes together.',
    has: (link, classes) => link === 'SIGMOID' || (link === 'SOFTMAX' && classes > 1),
  },
]

export function offers(kind: TargetKind, link: Link, classes: number): boolean {
  return NUMBERS.some((one) => one.kind === kind && one.has(link, classes))
}
