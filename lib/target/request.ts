/** From what a user asked to have explained, in labels and words, to a target. */
import { AppError } from '../errors.ts'
import type { Target } from './target.ts'

/** A class by name or by index; both only if they agree. */
export interface ClassRequest {
  readonly label?: string | null | undefined
  readonly index?: number | null | undefined
}

/** What is explained: a number of a class (left out: the predicted one), or of several. */
export interface TargetRequest extends ClassRequest {
  /** Left out: the logit. */
  readonly kind?: Target['kind'] | null | undefined
  /** Of a margin: the other class; left out, the mean of all others. */
  readonly against?: ClassRequest | null | undefined
  /** Of a contrast: the classes that are taken away, each with a weight. */
  readonly others?: readonly (ClassRequest & { readonly weight: number })[] | null | undefined
  /** Of a sum. */
  readonly classes?: readonly ClassRequest[] | null | undefined
  /** Of a cosine: what the output is compared with. */
  readonly embedding?: readonly number[] | null | undefined
}

/**
 * The index of the class asked for; null when none was asked for (the predicted class is meant).
 * @throws AppError UNKNOWN_LABEL when the model has no such class, or label and index name two different ones.
 */
export function resolveClass(asked: ClassRequest | null | undefined, labels: readonly string[]): number | null {
  const label = asked?.label ?? null
  const index = asked?.index ?? null
  const known = `The classes are ${labels.slice(0, 20).join(', ')}${labels.length > 20 ? ', ...' : ''}.`
  if (index !== null && (!Number.isInteger(index) || index < 0 || index >= labels.length))
    throw new AppError({
      code: 'UNKNOWN_LABEL',
      message: `There is no class with index ${index}; it must be 0 to ${labels.length - 1}. ${known}`,
      details: { index, labels: labels.slice(0, 20) },
    })
  if (label === null) return index
  const wanted = label.trim()
  const exact = labels.indexOf(wanted)
  const found = exact < 0 ? labels.findIndex((one) => one.toLowerCase() === wanted.toLowerCase()) : exact
  if (found < 0)
    throw new AppError({
      code: 'UNKNOWN_LABEL',
      message: `There is no class "${label}". ${known}`,
      details: { label, labels: labels.slice(0, 20) },
    })
  if (index !== null && index !== found)
    throw new AppError({
      code: 'UNKNOWN_LABEL',
      message: `The target names two classes: label "${label}" is index ${found}, and index is ${index}. Give one.`,
    })
  return found
}

function bad(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

/** What each kind takes beside its class; whatever else is given would be ignored, and is refused. */
const TAKES: Readonly<Record<Target['kind'], readonly (keyof TargetRequest)[]>> = {
  logit: ['label', 'index'],
  probability: ['label', 'index'],
  'log-odds': ['label', 'index'],
  margin: ['label', 'index', 'against'],
  contrast: ['label', 'index', 'others'],
  sum: ['classes'],
  regression: ['label', 'index'],
  cosine: ['embedding'],
}

function named(asked: ClassRequest, where: string, labels: readonly string[]): number {
  const index = resolveClass(asked, labels)
  if (index !== null) return index
  throw bad(`target: each of ${where} names a class, by its label or its index.`)
}

/**
 * @param labels the model's, [K]
 * @throws AppError UNKNOWN_LABEL as {@link resolveClass}; BAD_INPUT for what the kind does not take, or lacks
 */
export function resolveTarget(request: TargetRequest | null | undefined, labels: readonly string[]): Target {
  const { kind: asked, ...given } = request ?? {}
  const kind = asked ?? 'logit'
  const beyond = (Object.keys(given) as (keyof typeof given)[]).filter(
    (part) => (given[part] ?? null) !== null && !TAKES[kind].includes(part),
  )
  if (beyond.length > 0)
    throw bad(
      `target: the kind ${kind} takes ${TAKES[kind].join(', ')}, and was given ${beyond.join(', ')}. Leave that out, or name another kind.`,
    )
  const index = resolveClass(request, labels)
  switch (kind) {
    case 'margin': {
      const against = given.against === null || given.against === undefined ? null : named(given.against, 'against', labels) // prettier-ignore
      if (against !== null && against === index) throw bad('target: a margin compares two different classes.')
      return { kind, index, against }
    }
    case 'contrast': {
      const others = (given.others ?? []).map((one) => ({ index: named(one, 'others', labels), weight: one.weight }))
      if (others.length === 0) throw bad('target: a contrast names one class at least in others, each with its weight.')
      if (!others.every(({ weight }) => Number.isFinite(weight))) throw bad('target: a weight of others is no number.')
      return { kind, index, others }
    }
    case 'sum': {
      const indices = (given.classes ?? []).map((one) => named(one, 'classes', labels))
      if (indices.length === 0) throw bad('target: a sum names one class at least in classes.')
      return { kind, indices }
    }
    case 'regression': {
      if (index === null && labels.length > 1) throw bad('target: name the output of the regression.')
      return { kind, index: index ?? 0 }
    }
    case 'cosine': {
      const to = [...(given.embedding ?? [])]
      if (!to.some((one) => one !== 0) || !to.every(Number.isFinite))
        throw bad('target: a cosine needs an embedding of finite numbers, not all of them 0.')
      return { kind, to }
    }
    default:
      return { kind, index }
  }
}

/** What a target is, in words: 'the logit of cat'. A class left to the model is the predicted one. */
export function targetInWords(target: Target, labels: readonly string[]): string {
  const name = (index: number | null): string => (index === null ? 'the predicted class' : (labels[index] ?? `class ${index}`)) // prettier-ignore
  switch (target.kind) {
    case 'logit':
      return `the logit of ${name(target.index)}`
    case 'probability':
      return `the probability of ${name(target.index)}`
    case 'log-odds':
      return `the log-odds of ${name(target.index)}`
    case 'margin':
      return `the logit of ${name(target.index)} less ${target.against === null ? 'the mean of the others' : `that of ${name(target.against)}`}`
    case 'contrast':
      return `the logit of ${name(target.index)} less ${target.others.map(({ index, weight }) => `${weight} × ${name(index)}`).join(' and ')}`
    case 'sum':
      return `the sum of the logits of ${target.indices.map(name).join(', ')}`
    case 'regression':
      return `the value of ${name(target.index)}`
    case 'cosine':
      return 'the cosine between the output and a given embedding'
  }
}
