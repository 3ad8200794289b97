/**
 * What each kind of target stands for, one object a kind: which outputs it names, its value, and its cotangent, the gradient of
 * the value with respect to the outputs. A kind of the schema without one is a compile error.
 *
 * Letters: N rows, K outputs (classes), z the outputs [N, K], e_c the row that is 1 at the explained class, p the
 * probabilities.
 */
import {
  divide,
  multiply,
  sigmoid,
  softmax as softmaxOf,
  sqrt,
  subtract,
  sum,
  type Formula,
} from '../engine/formula.ts'
import type { Link } from '../engine/head.ts'
import { sigmoid as sigmoidOf, softmax } from './links.ts'
import type { Target } from './target.ts'

export interface Outputs {
  readonly classes: number
  readonly link: Link
}

/** What a cotangent is made of. */
interface Terms extends Outputs {
  /** [N, K] */
  readonly z: Formula
  /** e_c, [N, K] */
  readonly picked: Formula
  /** What the kind's `given` says, [N, K]. */
  readonly given: Formula
}

interface Kind<T extends Target> {
  /** Outputs that it names beside the explained class. */
  readonly others: (target: T) => readonly number[]
  /** Why a model has no such scalar, as a phrase; null where it has. */
  readonly whyNot: (target: T, outputs: Outputs) => string | null
  /** The weights [K] of a value that is a fixed weighting of the outputs; null where it is none, or its class is not settled. */
  readonly weights: (target: T, outputs: Outputs) => Float32Array | null
  /** Numbers [K] that the cotangent needs beside the class; null where it needs none. */
  readonly given: (target: T, classes: number) => readonly number[] | null
  /** Where there are no fixed weights. */
  readonly cotangent: (target: T, terms: Terms) => Formula
  /** Of one row of outputs, where there are no fixed weights; its class is settled. */
  readonly value: (target: T, z: readonly number[], link: Link) => number
}

const nothing = (): null => null
const noOthers = (): readonly number[] => []
const CLASSES = [1]
/** Takes a class out of a softmax over the others. */
const AWAY = 1e30

/** [K], the sum of the weights that each output is given. */
function weighted(classes: number, pairs: readonly (readonly [index: number, weight: number])[]): Float32Array {
  const row = new Float32Array(classes)
  for (const [index, weight] of pairs) row[index] = (row[index] ?? 0) + weight
  return row
}

/** For a kind that has fixed weights as soon as its class is settled. */
function hasWeights(): never {
  throw new RangeError('the value is a fixed weighting of the outputs')
}

const lengthOf = (vector: readonly number[]): number => Math.sqrt(vector.reduce((total, one) => total + one * one, 0))

function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values)
  return most + Math.log(values.reduce((total, one) => total + Math.exp(one - most), 0))
}

const noProbabilities = (_: unknown, { link }: Outputs): string | null =>
  link === 'none' ? 'this model gives no probabilities. Ask for a logit' : null

const indexOf = ({ index }: { readonly index: number | null }): number => {
  if (index === null) throw new RangeError('the predicted class is not settled')
  return index
}

export const KINDS: { readonly [K in Target['kind']]: Kind<Extract<Target, { readonly kind: K }>> } = {
  logit: {
    others: noOthers,
    whyNot: nothing,
    weights: ({ index }, { classes }) => (index === null ? null : weighted(classes, [[index, 1]])),
    given: nothing,
    cotangent: (_, { picked }) => picked,
    value: hasWeights,
  },
  probability: {
    others: noOthers,
    whyNot: noProbabilities,
    weights: nothing,
    given: nothing,
    // dp_c/dz = p_c (e_c - p) for a softmax, p_c (1 - p_c) e_c for a sigmoid.
    cotangent: (_, { z, picked, link }) => {
      if (link === 'sigmoid') return multiply(picked, multiply(sigmoid(z), subtract(1, sigmoid(z))))
      const p = softmaxOf(z, 1)
      return multiply(sum(multiply(p, picked), CLASSES), subtract(picked, p))
    },
    value: (target, z, link) => {
      const c = indexOf(target)
      return link === 'sigmoid' ? sigmoidOf(z[c] ?? Number.NaN) : (softmax(z)[c] ?? Number.NaN)
    },
  },
  'log-odds': {
    others: noOthers,
    whyNot: (target, outputs) =>
      noProbabilities(target, outputs) ??
      (outputs.link === 'softmax' && outputs.classes < 2
        ? 'a model with one class has no other to compare it with'
        : null),
    // log p_c/(1 - p_c) is z_c behind a sigmoid, z_c - log sum_{j != c} exp z_j behind a softmax.
    weights: ({ index }, { classes, link }) =>
      index === null || link === 'softmax' ? null : weighted(classes, [[index, 1]]),
    given: nothing,
    cotangent: (_, { z, picked, link }) =>
      link === 'sigmoid' ? picked : subtract(picked, softmaxOf(subtract(z, multiply(picked, AWAY)), 1)),
    value: (target, z) => {
      const c = indexOf(target)
      return (z[c] ?? Number.NaN) - logSumExp(z.filter((_, index) => index !== c))
    },
  },
  margin: {
    others: ({ against }) => (against === null ? [] : [against]),
    whyNot: nothing,
    weights: ({ index, against }, { classes }) => {
      if (index === null) return null
      if (against !== null)
        return weighted(classes, [
          [index, 1],
          [against, -1],
        ])
      const row = new Float32Array(classes).fill(classes > 1 ? -1 / (classes - 1) : 0)
      row[index] = 1
      return row
    },
    given: ({ against }, classes) => (against === null ? null : [...weighted(classes, [[against, 1]])]),
    cotangent: ({ against }, { picked, given, classes }) => {
      if (against !== null) return subtract(picked, given)
      // Exactly 1 at the class, and exactly the others' share elsewhere.
      return classes > 1 ? subtract(picked, multiply(subtract(1, picked), 1 / (classes - 1))) : picked
    },
    value: hasWeights,
  },
  contrast: {
    others: ({ others }) => others.map(({ index }) => index),
    whyNot: nothing,
    weights: ({ index, others }, { classes }) =>
      index === null
        ? null
        : weighted(classes, [[index, 1], ...others.map((one) => [one.index, -one.weight] as const)]),
    given: ({ others }, classes) => [...weighted(classes, others.map((one) => [one.index, one.weight] as const))], // prettier-ignore
    cotangent: (_, { picked, given }) => subtract(picked, given),
    value: hasWeights,
  },
  sum: {
    others: ({ indices }) => indices,
    whyNot: nothing,
    weights: ({ indices }, { classes }) => weighted(classes, indices.map((index) => [index, 1] as const)), // prettier-ignore
    given: nothing,
    cotangent: hasWeights,
    value: hasWeights,
  },
  regression: {
    others: noOthers,
    whyNot: nothing,
    weights: ({ index }, { classes }) => weighted(classes, [[index, 1]]),
    given: nothing,
    cotangent: hasWeights,
    value: hasWeights,
  },
  cosine: {
    others: noOthers,
    whyNot: ({ to }, { classes }) =>
      to.length === classes ? null : `it names an embedding of ${to.length} numbers, and the model answers ${classes}`,
    weights: nothing,
    /** t/|t| */
    given: ({ to }) => to.map((one) => one / lengthOf(to)),
    // d cos(z, t) / dz = (t/|t| - cos(z, t) z/|z|) / |z|
    cotangent: (_, { z, given }) => {
      const length = sqrt(sum(multiply(z, z), CLASSES))
      const direction = divide(z, length)
      return divide(subtract(given, multiply(sum(multiply(direction, given), CLASSES), direction)), length)
    },
    value: ({ to }, z) =>
      z.reduce((total, one, at) => total + one * (to[at] ?? 0), 0) / (lengthOf([...z]) * lengthOf(to)),
  },
}
