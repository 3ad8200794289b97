/**
 * The scalar that a target stands for: its value at given outputs, and its cotangent, the gradient of it with respect to
 * them. Methods and metrics ask here; what each kind of target is, `kinds.ts` says.
 *
 * Letters: N rows, K outputs (classes), z the outputs [N, K].
 */
import { given, oneHotArgmax, value } from '../engine/formula.ts'
import type { Link } from '../engine/head.ts'
import type { Cotangent } from '../engine/model.ts'
import type { TapId } from '../engine/tap-id.ts'
import { AppError } from '../errors.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { KINDS, type Outputs } from './kinds.ts'
import type { Target } from './target.ts'

/** Where a model's scores are, and what they are. */
export interface Head extends Outputs {
  /** The tap that holds the scores before the link, [N, K]. */
  readonly logits: TapId
}

/** What a question says to differentiate a target. */
export interface StatedScalar {
  readonly of: Cotangent
  /** For the question's `formulas.perRow`. */
  readonly perRow: Readonly<Record<string, FloatTensor>>
}

const PICKED = 'target: explained class'
const GIVEN = 'target: numbers'

/** A target's own kind; its functions take targets of that kind alone, which the compiler cannot follow. */
type AnyKind = {
  readonly [Part in keyof (typeof KINDS)['logit']]: (typeof KINDS)['logit'][Part] extends (
    target: never,
    ...rest: infer Rest
  ) => infer Result
    ? (target: Target, ...rest: Rest) => Result
    : never
}
function kindOf(target: Target): AnyKind {
  return KINDS[target.kind] as unknown as AnyKind
}

function indexIn(target: Target): number | null {
  return 'index' in target ? target.index : null
}

const isPredicted = (target: Target): boolean => 'index' in target && target.index === null

function noClass(index: number, count: number): AppError {
  return new AppError({
    code: 'UNKNOWN_LABEL',
    message: `class ${index} of ${count}`,
    userMessage: `This model has ${count} classes, numbered from 0; there is no class ${index}.`,
    details: { index, count },
  })
}

/** @throws AppError UNKNOWN_LABEL, BAD_PARAMETER where the model has no such scalar */
export function checkTarget(target: Target, outputs: Outputs): void {
  const kind = kindOf(target)
  const named = [indexIn(target), ...kind.others(target)].filter((index) => index !== null)
  const beyond = named.find((index) => !Number.isInteger(index) || index < 0 || index >= outputs.classes)
  if (beyond !== undefined) throw noClass(beyond, outputs.classes)
  const why = kind.whyNot(target, outputs)
  if (why !== null)
    throw new AppError({ code: 'BAD_PARAMETER', message: `The target ${target.kind} cannot be explained: ${why}.` })
}

function rowsOf(rows: readonly ArrayLike<number>[], classes: number): FloatTensor {
  const data = new Float32Array(rows.length * classes)
  rows.forEach((row, at) => data.set(row, at * classes))
  return float32(data, [rows.length, classes])
}

function oneHot(index: number, classes: number): Float32Array {
  const row = new Float32Array(classes)
  row[index] = 1
  return row
}

/**
 * What to differentiate: one weight an output where all the scalars are linear in them, else a formula that the engine
 * computes in the same run. Where a class is the predicted one, each row's own is meant.
 * @param targets one a row; of one kind, all with a class or all with the predicted one, where they have no fixed weights
 * @throws AppError UNKNOWN_LABEL for a class that the model has not, BAD_PARAMETER for a scalar it does not have, or for rows
 *   that are not alike
 */
export function stateScalars(targets: readonly Target[], head: Head): StatedScalar {
  for (const target of targets) checkTarget(target, head)
  const { logits, classes } = head
  const weights = targets.map((target) => kindOf(target).weights(target, head))
  const fixed = weights.filter((row) => row !== null)
  if (fixed.length === targets.length) return { of: { [logits]: rowsOf(fixed, classes) }, perRow: {} }

  const [first] = targets
  const alike = (target: Target): boolean => target.kind === first?.kind && isPredicted(target) === isPredicted(first)
  if (first === undefined || !targets.every(alike))
    throw new AppError({
      code: 'BAD_PARAMETER',
      message: `One question cannot differentiate ${targets.map((one) => `${one.kind}${isPredicted(one) ? ' of the predicted class' : ''}`).join(' and ')}. Name the class, or ask for targets of one kind.`,
    })
  const numbers = targets.map((target) => kindOf(target).given(target, classes)).filter((row) => row !== null)
  const perRow = {
    ...(numbers.length === 0 ? {} : { [GIVEN]: rowsOf(numbers, classes) }),
    ...(isPredicted(first) || indexIn(first) === null
      ? {}
      : { [PICKED]: rowsOf(targets.map((target) => oneHot(indexIn(target) ?? 0, classes)), classes) }), // prettier-ignore
  }
  const z = value(logits)
  const picked = isPredicted(first) ? oneHotArgmax(z, 1) : given(PICKED)
  const cotangent = kindOf(first).cotangent(first, { ...head, z, picked, given: given(GIVEN) })
  return { of: { [logits]: cotangent }, perRow }
}

/**
 * Which of several targets {@link stateScalars} can state in one question: positions, in the order of the first of each group.
 * @throws AppError as there, for a class or a scalar that the model has not
 */
export function statedTogether(targets: readonly Target[], head: Head): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>()
  for (const [at, target] of targets.entries()) {
    checkTarget(target, head)
    const fixed = kindOf(target).weights(target, head) !== null
    const group = fixed ? 'fixed' : `${target.kind} ${isPredicted(target) ? 'predicted' : 'named'}`
    groups.set(group, [...(groups.get(group) ?? []), at])
  }
  return [...groups.values()]
}

/** As {@link stateScalars}, the same for every row. */
export function stateScalar(target: Target, head: Head, rows = 1): StatedScalar {
  return stateScalars(
    Array.from({ length: rows }, () => target),
    head,
  )
}

/** A single output without a link is no class: its value is what is explained. */
export function targetFor(target: Target, { classes, link }: Outputs): Target {
  return target.kind === 'logit' && link === 'none' && classes === 1
    ? { kind: 'regression', index: target.index ?? 0 }
    : target
}

/** The class with the largest logit, the first of several. */
export function predictedClass(logits: ArrayLike<number>): number {
  let best = 0
  for (let index = 1; index < logits.length; index += 1)
    if ((logits[index] ?? -Infinity) > (logits[best] ?? -Infinity)) best = index
  return best
}

/** The target with the predicted class filled in, so that it stays the same class at other inputs. */
export function settled(target: Target, logits: ArrayLike<number>): Target {
  return isPredicted(target) ? ({ ...target, index: predictedClass(logits) } as Target) : target
}

/** The class that a target is about; null where it is about none (a sum, an embedding). */
export function classOf(target: Target, logits: ArrayLike<number>): number | null {
  if (target.kind === 'sum') return target.indices.length === 1 ? (target.indices[0] ?? null) : null
  if (target.kind === 'cosine') return null
  return target.index ?? predictedClass(logits)
}

/** The target is a score before the softmax, which goes on changing where the probability does not. */
export function explainsScore(target: Target): boolean {
  return target.kind === 'logit' || target.kind === 'margin'
}

/**
 * Reads a target of row after row of outputs, [K], in double precision: what does not depend on the row is done once.
 * @param target settled: left to the model, each row would have its own class
 * @throws AppError as {@link stateScalar}
 */
export function scalarReader(target: Target, outputs: Outputs): (logits: ArrayLike<number>) => number {
  checkTarget(target, outputs)
  const kind = kindOf(target)
  const weights = kind.weights(target, outputs)
  if (weights === null) return (logits) => kind.value(target, Array.from(logits), outputs.link)
  const counted = Array.from(weights.entries()).filter(([, weight]) => weight !== 0)
  return (logits) => counted.reduce((total, [index, weight]) => total + weight * (logits[index] ?? 0), 0)
}

/** The scalar of one row of outputs, [K], in double precision. @throws as {@link stateScalar} */
export function scalarOf(target: Target, logits: ArrayLike<number>, link: Link = 'softmax'): number {
  return scalarReader(settled(target, logits), { classes: logits.length, link })(logits)
}
