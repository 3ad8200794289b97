/**
 * The scalar that a target stands for: its value at given outputs, and its cotangent, the gradient of it with respect to
 * them. This is the one place that knows; methods and metrics ask here.
 *
 * Letters: N rows, K outputs (classes), z the outputs [N, K], e_c the row that is 1 at c, p the probabilities.
 */
import {
  divide,
  given,
  multiply,
  oneHotArgmax,
  sigmoid,
  softmax as softmaxOf,
  sqrt,
  subtract,
  sum,
  value,
  type Formula,
} from '../engine/formula.ts'
import type { Link } from '../engine/head.ts'
import type { Cotangent } from '../engine/model.ts'
import type { TapId } from '../engine/tap-id.ts'
import { AppError } from '../errors.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { sigmoid as sigmoidOf, softmax } from './links.ts'
import type { Target } from './target.ts'

/** Where a model's scores are, and what they are. */
export interface Head {
  /** The tap that holds the scores before the link, [N, K]. */
  readonly logits: TapId
  readonly classes: number
  readonly link: Link
}

/** What a question says to differentiate a target. */
export interface StatedScalar {
  readonly of: Cotangent
  /** For the question's `formulas.perRow`. */
  readonly perRow: Readonly<Record<string, FloatTensor>>
}

type Indexed = Extract<Target, { readonly index: number | null }>

const PICKED = 'target: explained class'
const WEIGHTS = 'target: weights'

function noClass(index: number, count: number): AppError {
  return new AppError({
    code: 'UNKNOWN_LABEL',
    message: `class ${index} of ${count}`,
    userMessage: `This model has ${count} classes, numbered from 0; there is no class ${index}.`,
    details: { index, count },
  })
}

function needsLink(target: Target, why: string): AppError {
  return new AppError({ code: 'BAD_PARAMETER', message: `The target ${target.kind} cannot be explained: ${why}.` })
}

function indicesOf(target: Target): readonly number[] {
  switch (target.kind) {
    case 'sum':
      return target.indices
    case 'cosine':
      return []
    case 'margin':
      return [target.index, target.against].filter((index) => index !== null)
    case 'contrast':
      return [...(target.index === null ? [] : [target.index]), ...target.others.map((one) => one.index)]
    default:
      return target.index === null ? [] : [target.index]
  }
}

/** @throws AppError UNKNOWN_LABEL, BAD_PARAMETER where the model has no such scalar */
function check(target: Target, { classes, link }: Head): void {
  const beyond = indicesOf(target).find((index) => !Number.isInteger(index) || index < 0 || index >= classes)
  if (beyond !== undefined) throw noClass(beyond, classes)
  if (target.kind === 'cosine' && target.to.length !== classes)
    throw needsLink(target, `it names an embedding of ${target.to.length} numbers, and the model answers ${classes}`)
  if ((target.kind === 'probability' || target.kind === 'log-odds') && link === 'none')
    throw needsLink(target, 'this model gives no probabilities. Ask for a logit')
  if (target.kind === 'log-odds' && link === 'softmax' && classes < 2)
    throw needsLink(target, 'a model with one class has no other to compare it with')
}

function oneHot(index: number, classes: number): Float32Array {
  const row = new Float32Array(classes)
  row[index] = 1
  return row
}

/** The weights [K] of a scalar that is a fixed weighting of the outputs; null for any other. */
function fixedWeights(target: Target, { classes, link }: Head): Float32Array | null {
  const row = new Float32Array(classes)
  const put = (index: number, weight: number): void => {
    row[index] = (row[index] ?? 0) + weight
  }
  switch (target.kind) {
    case 'regression':
      return oneHot(target.index, classes)
    case 'sum':
      for (const index of target.indices) put(index, 1)
      return row
    case 'logit':
      return target.index === null ? null : oneHot(target.index, classes)
    case 'log-odds':
      return target.index === null || link === 'softmax' ? null : oneHot(target.index, classes)
    case 'margin':
      if (target.index === null) return null
      if (target.against !== null) {
        put(target.index, 1)
        put(target.against, -1)
        return row
      }
      row.fill(classes > 1 ? -1 / (classes - 1) : 0)
      row[target.index] = 1
      return row
    case 'contrast':
      if (target.index === null) return null
      put(target.index, 1)
      for (const { index, weight } of target.others) put(index, -weight)
      return row
    default:
      return null
  }
}

/** For log-odds: takes a class out of a softmax over the others. */
const AWAY = 1e30
const CLASSES = [1]

/** The cotangent [N, K] as arithmetic on the outputs z, of the picked class e_c [1, K] or [N, K]. */
function formulaOf(target: Indexed, link: Link, z: Formula, picked: Formula, classes: number): Formula {
  switch (target.kind) {
    case 'probability': {
      // dp_c/dz = p_c (e_c - p) for a softmax, p_c (1 - p_c) e_c for a sigmoid.
      if (link === 'sigmoid') return multiply(picked, multiply(sigmoid(z), subtract(1, sigmoid(z))))
      const p = softmaxOf(z, 1)
      return multiply(sum(multiply(p, picked), CLASSES), subtract(picked, p))
    }
    case 'log-odds':
      // log p_c/(1 - p_c) = z_c - log sum_{j != c} exp z_j
      if (link === 'sigmoid') return picked
      return subtract(picked, softmaxOf(subtract(z, multiply(picked, AWAY)), 1))
    case 'margin':
      // Exactly 1 at the class, and exactly the others' share elsewhere.
      if (target.against === null)
        return classes > 1 ? subtract(picked, multiply(subtract(1, picked), 1 / (classes - 1))) : picked
      return subtract(picked, given(WEIGHTS))
    case 'contrast':
      return subtract(picked, given(WEIGHTS))
    default:
      return picked
  }
}

/** Weights [K] that are taken from the picked class; none where there are no others. */
function othersOf(target: Target, classes: number): Float32Array {
  const row = new Float32Array(classes)
  if (target.kind === 'margin' && target.against !== null) row[target.against] = 1
  if (target.kind === 'contrast') for (const { index, weight } of target.others) row[index] = (row[index] ?? 0) + weight
  return row
}

/** d cos(z, t) / dz = (t/|t| - cos(z, t) z/|z|) / |z| */
function cosineCotangent(z: Formula, to: Formula): Formula {
  const length = sqrt(sum(multiply(z, z), CLASSES))
  const direction = divide(z, length)
  return divide(subtract(to, multiply(sum(multiply(direction, to), CLASSES), direction)), length)
}

const lengthOf = (vector: ArrayLike<number>): number =>
  Math.sqrt(Array.from(vector).reduce((total, one) => total + one * one, 0))

function rowsOf(rows: readonly ArrayLike<number>[], classes: number): FloatTensor {
  const data = new Float32Array(rows.length * classes)
  rows.forEach((row, at) => data.set(row, at * classes))
  return float32(data, [rows.length, classes])
}

/**
 * What to differentiate: one weight an output where all the scalars are linear in them, else a formula that the engine
 * computes in the same run. Where a class is the predicted one, each row's own is meant.
 * @param targets one a row; of one kind, all with a class or all without, where that kind is not linear
 * @throws AppError UNKNOWN_LABEL for a class that the model has not, BAD_PARAMETER for a scalar it does not have
 */
export function stateScalars(targets: readonly Target[], head: Head): StatedScalar {
  for (const target of targets) check(target, head)
  const { logits, classes, link } = head
  const weights = targets.map((target) => fixedWeights(target, head))
  const fixed = weights.filter((row) => row !== null)
  if (fixed.length === targets.length) return { of: { [logits]: rowsOf(fixed, classes) }, perRow: {} }

  const [first] = targets
  const alike = (target: Target): boolean => target.kind === first?.kind && isPredicted(target) === isPredicted(first)
  if (first === undefined || !targets.every(alike))
    throw new AppError({
      code: 'INTERNAL',
      message: `Rows ask for ${targets.map((one) => one.kind).join(', ')}: what is not linear must be of one kind.`,
    })
  const z = value(logits)
  if (first.kind === 'cosine') {
    const directions = targets.map((target) => {
      const to = target.kind === 'cosine' ? target.to : []
      return to.map((one) => one / lengthOf(to))
    })
    return { of: { [logits]: cosineCotangent(z, given(WEIGHTS)) }, perRow: { [WEIGHTS]: rowsOf(directions, classes) } }
  }
  if (first.kind === 'sum' || first.kind === 'regression') throw new RangeError('a fixed weighting')
  const perRow: Record<string, FloatTensor> = {}
  if (first.kind === 'contrast' || (first.kind === 'margin' && first.against !== null))
    perRow[WEIGHTS] = rowsOf(
      targets.map((target) => othersOf(target, classes)),
      classes,
    )
  if (!isPredicted(first))
    perRow[PICKED] = rowsOf(
      targets.map((target) => oneHot(indexIn(target) ?? 0, classes)),
      classes,
    )
  const picked = isPredicted(first) ? oneHotArgmax(z, 1) : given(PICKED)
  return { of: { [logits]: formulaOf(first, link, z, picked, classes) }, perRow }
}

/** As {@link stateScalars}, the same for every row. */
export function stateScalar(target: Target, head: Head, rows = 1): StatedScalar {
  return stateScalars(
    Array.from({ length: rows }, () => target),
    head,
  )
}

function indexIn(target: Target): number | null {
  return 'index' in target ? target.index : null
}

const isPredicted = (target: Target): boolean => 'index' in target && target.index === null

/** A single output without a link is no class: its value is what is explained. */
export function targetFor(target: Target, { classes, link }: Pick<Head, 'classes' | 'link'>): Target {
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

function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values)
  return most + Math.log(values.reduce((total, one) => total + Math.exp(one - most), 0))
}

/** The scalar of one row of outputs, [K], in double precision. @throws as {@link stateScalar} */
export function scalarOf(given: Target, logits: ArrayLike<number>, link: Link = 'softmax'): number {
  const head: Head = { logits: '', classes: logits.length, link }
  const target = settled(given, logits)
  check(target, head)
  const weights = fixedWeights(target, head)
  if (weights !== null) {
    let total = 0
    for (let index = 0; index < logits.length; index += 1) total += (weights[index] ?? 0) * (logits[index] ?? 0)
    return total
  }
  const z = Array.from(logits)
  if (target.kind === 'cosine')
    return z.reduce((total, one, at) => total + one * (target.to[at] ?? 0), 0) / (lengthOf(z) * lengthOf(target.to))
  const c = classOf(target, logits) ?? 0
  const own = z[c] ?? Number.NaN
  if (target.kind === 'log-odds') return own - logSumExp(z.filter((_, index) => index !== c))
  return link === 'sigmoid' ? sigmoidOf(own) : (softmax(z)[c] ?? Number.NaN)
}
