/** What the metrics say together, in sentences: where they agree that the explanation beats chance, and where they do not. */
import type { Evaluation } from '../_graphql/types.ts'
import { familyOf, type Family } from './families.ts'
import { beats, listed } from './standing.ts'

interface Verdict {
  readonly tone: 'info' | 'warning'
  readonly sentence: string
}

interface Found {
  readonly family: Family
  readonly better: readonly Evaluation[]
  readonly lost: readonly Evaluation[]
}

/** Of several evaluations by one metric, the one asked last. */
function newestOfEach(evaluations: readonly Evaluation[]): readonly Evaluation[] {
  return [...new Map(evaluations.map((evaluation) => [evaluation.metric.id, evaluation])).values()]
}

function titles(evaluations: readonly Evaluation[]): string {
  return listed(evaluations.map(({ metric }) => metric.title))
}

function foundIn(evaluations: readonly Evaluation[], family: Family): Found {
  const told = evaluations.filter(({ metric }) => metric.family === family.id)
  return {
    family,
    better: told.filter((evaluation) => beats(evaluation, 'random') === true),
    lost: told.filter((evaluation) => beats(evaluation, 'random') === false),
  }
}

function againstRandom({ family: { adjective }, better, lost }: Found): Verdict {
  const all = better.length + lost.length
  if (all === 1) {
    const [only] = [...better, ...lost]
    const stands = better.length === 1 ? 'is better than random' : 'is not clearly better than random'
    const sentence = `${only?.metric.title ?? ''} ${stands}. One ${adjective} metric alone says little: ask for others beside it.`
    return { tone: better.length === 1 ? 'info' : 'warning', sentence }
  }
  if (lost.length === 0)
    return {
      tone: 'info',
      sentence: `${all === 2 ? 'Both' : `All ${all}`} ${adjective} metrics are better than random (${titles(better)}).`,
    }
  if (better.length === 0)
    return {
      tone: 'warning',
      sentence: `${all === 2 ? 'Neither of the 2' : `None of the ${all}`} ${adjective} metrics is clearly better than random (${titles(lost)}): by them this explanation cannot be told from noise.`,
    }
  const [isLost, isBetter] = [lost, better].map(({ length }) => (length === 1 ? 'is' : 'are'))
  return {
    tone: 'warning',
    sentence: `The ${adjective} metrics disagree: ${lost.length} of ${all} ${isLost} not clearly better than random (${titles(lost)}), ${better.length} ${isBetter} better (${titles(better)}). They ask different questions; read what each means before you rely on either.`,
  }
}

/** Better than random is little where something that knows nothing does as well. */
function againstSimpler({ better }: Found): readonly Verdict[] {
  const SIMPLER = [
    { id: 'edges', who: 'the edges of the picture alone do' },
    { id: 'uniform', who: 'the same value everywhere does' },
  ] as const
  return SIMPLER.flatMap(({ id, who }) => {
    const reached = better.filter((evaluation) => beats(evaluation, id) === false)
    return reached.length === 0
      ? []
      : [{ tone: 'warning', sentence: `Better than random, but ${who} as well by ${titles(reached)}.` } as const]
  })
}

const NOT_WHERE_MARKED =
  'It follows the model, but lies on the marked part not clearly more than chance does: the model may use something else.'
const ONLY_WHERE_MARKED =
  'It lies on the marked part, but does not clearly follow the model better than chance does: it looks right without being shown to be.'

/** Following the model and lying where a person looks are two things. */
function betweenFamilies(found: readonly Found[]): readonly Verdict[] {
  const faithful = found.find(({ family }) => family.id === 'FAITHFULNESS')
  if (faithful === undefined) return []
  const marked = found.filter(({ family }) => family.id === 'LOCALISATION' || family.id === 'PLAUSIBILITY')
  return marked.flatMap(({ better, lost }): readonly Verdict[] => {
    if (faithful.lost.length === 0 && better.length === 0) return [{ tone: 'warning', sentence: NOT_WHERE_MARKED }]
    if (faithful.better.length === 0 && lost.length === 0) return [{ tone: 'warning', sentence: ONLY_WHERE_MARKED }]
    return []
  })
}

/** @param evaluations oldest first */
export function verdicts(evaluations: readonly Evaluation[]): readonly Verdict[] {
  const newest = newestOfEach(evaluations.filter(({ status }) => status === 'DONE'))
  const families = [...new Set(newest.map(({ metric }) => metric.family))].map(familyOf)
  const found = families
    .map((family) => foundIn(newest, family))
    .filter(({ better, lost }) => better.length + lost.length > 0)
  return [...found.flatMap((one) => [againstRandom(one), ...againstSimpler(one)]), ...betweenFamilies(found)]
}
