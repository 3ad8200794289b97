/**
 * The integral of gradients along a path from a baseline to an input (Sundararajan et al. 2017, 1703.01365, equation 1, and
 * remark 2 for other paths than the straight one): one number a place of each point, so that any number of points fits in memory.
 *
 * Letters: B points asked at once, P places of a point (tokens of a text, pixels of a picture).
 */
import { z } from 'zod'
import { gradient, multiply, sum, type Formula } from '../../engine/formula.ts'
import type { TapId } from '../../engine/tap-id.ts'
import { scalarReader, stateScalar } from '../../target/scalar.ts'
import { adaptiveSimpson } from '../../tensor/adaptive-quadrature.ts'
import { quadrature, QUADRATURE_RULES, type QuadratureRule } from '../../tensor/quadrature.ts'
import { row, type FloatTensor, type Tensor } from '../../tensor/tensor.ts'
import { answered, answersInBatches } from './batches.ts'
import { errorAllowed, type Ends } from './completeness.ts'
import type { Explaining } from './made-rows.ts'
import type { Path } from './path-rows.ts'

export const MOST_POINTS = 257
/** Measured on reviews of 128 tokens. */
const USUAL_POINTS = 25

export const stepsField = z
  .union([z.literal('auto'), z.int().min(1).max(1000)])
  .default('auto')
  .meta({
    title: 'Steps',
    description:
      'auto: as many points on the path (9 to 257), where it bends, as it takes for the scores to add up to within 1 %. Or a number of points.',
  })
export const ruleField = z.enum(QUADRATURE_RULES).default('gauss-legendre').meta({
  title: 'Rule',
  description: 'How the points lie on the path when their number is fixed. Gauss-Legendre is the most exact.',
})
export type Steps = z.infer<typeof stepsField>
/** Whether a rule has so few points. */
export const fewEnough = ({ steps, rule }: { readonly steps: Steps; readonly rule: QuadratureRule }): boolean =>
  steps !== 1 || rule !== 'trapezoid'
export const TOO_FEW = { path: ['steps'], message: 'The trapezoid rule needs at least 2 steps.' }

export interface Way {
  /** The model's input, or a tap. */
  readonly place: TapId
  readonly path: Path
  /** Where the path begins, [1, ...] in the place's shape. */
  readonly baseline: FloatTensor
  /** Axes of a batch of points that are summed: the features of a token, the colours of a pixel. */
  readonly over: readonly number[]
  /** Extents of what is left, P numbers in all. */
  readonly places: number
  /** Points asked at once. */
  readonly perQuestion: number
  /** The model's other inputs for so many rows, where a tap is replaced. */
  readonly feeds?: (count: number) => Readonly<Record<string, Tensor>>
}

export interface PathPoint {
  /** The scalar there. */
  readonly scalar: number
  /** <gradient there, derivative of the path> at each place, [P]. */
  readonly contributions: Float32Array
}

export interface Integrated {
  /** [P] */
  readonly scores: Float64Array
  readonly ends: Ends
  /** Gradients evaluated. */
  readonly points: number
}

const SCORES = 'of the gradient'

/**
 * Points of the path, a batch at a time.
 * @param contribution of a point, made of its gradient [B, ...] and the path's derivative; one number a place of the way
 */
export async function* pathPoints(
  asking: Explaining,
  way: Way,
  alphas: readonly number[],
  contribution: (gradient: Formula, derivative: Formula) => Formula = (slope, derivative) =>
    sum(multiply(slope, derivative), way.over),
): AsyncGenerator<readonly PathPoint[], void, undefined> {
  const { head, target } = asking
  const { place, path, perQuestion, places } = way
  const scalar = scalarReader(target, head)
  const outputs = { [SCORES]: contribution(gradient(place), path.way) }
  const answers = answersInBatches(asking, { total: alphas.length, perQuestion }, ({ first, count }) => {
    const stated = stateScalar(target, head, count)
    return {
      ...(way.feeds === undefined ? {} : { feeds: way.feeds(count) }),
      read: [head.logits],
      gradient: { of: stated.of, wrt: [] },
      formulas: {
        shared: path.shared,
        perRow: { ...stated.perRow, ...path.perRow(alphas.slice(first, first + count)) },
        inputs: { [place]: path.at },
        outputs,
      },
    }
  })
  for await (const { answer, count } of answers) {
    const logits = answered(answer.values, head.logits) // [B, K]
    const { data } = answered(answer.computed, SCORES)
    yield Array.from({ length: count }, (_, at) => ({
      scalar: scalar(row(logits, at).data),
      contributions: data.slice(at * places, (at + 1) * places),
    }))
  }
}

function addTo(scores: Float64Array, { contributions }: PathPoint, weight: number): void {
  for (let at = 0; at < scores.length; at += 1)
    scores[at] = (scores[at] ?? 0) + weight * (contributions[at] ?? Number.NaN)
}

/** Adds points where the scores do not add up yet, until they do or the bound is reached. No gradient is computed twice. */
async function automatic(asking: Explaining, way: Way): Promise<Integrated> {
  let arrived = 0
  const progress = (points: number): void => asking.progress(shareDone((arrived += points)))
  const found = await adaptiveSimpson<PathPoint>(
    {
      at: async (places) => {
        const points: PathPoint[] = []
        for await (const batch of pathPoints({ ...asking, progress: () => undefined }, way, places)) {
          points.push(...batch)
          progress(batch.length)
        }
        return points
      },
      integrand: ({ contributions }) => contributions.reduce((total, one) => total + one, 0),
      antiderivative: (point) => point.scalar,
    },
    {
      allowed: (baseline, input) => errorAllowed({ baseline: baseline.scalar, input: input.scalar }),
      mostPoints: MOST_POINTS,
      batch: way.perQuestion,
    },
  )
  asking.progress(1)
  const scores = new Float64Array(way.places)
  for (const { point, weight } of found) addTo(scores, point, weight)
  const ends = { baseline: found[0]?.point.scalar ?? Number.NaN, input: found.at(-1)?.point.scalar ?? Number.NaN }
  return { scores, ends, points: found.length }
}

/** How far the search is, when 25 points usually do. */
function shareDone(points: number): number {
  return points <= USUAL_POINTS
    ? (0.8 * points) / USUAL_POINTS
    : 0.8 + (0.19 * (points - USUAL_POINTS)) / (MOST_POINTS - USUAL_POINTS)
}

/** The scalar of a point in the place's stead, [1, ...]. */
export async function scalarAt(
  { model, head, target, signal }: Explaining,
  { place, feeds }: Pick<Way, 'place' | 'feeds'>,
  point: FloatTensor,
): Promise<number> {
  const question = model.inputs.includes(place)
    ? { feeds: { [place]: point } }
    : { ...(feeds === undefined ? {} : { feeds: feeds(1) }), from: { [place]: point } }
  const { values } = await model.ask({ ...question, read: [head.logits] }, signal)
  return scalarReader(target, head)(row(answered(values, head.logits), 0).data)
}

async function fixed(asking: Explaining, way: Way, steps: number, rule: QuadratureRule, input: number) {
  const { nodes, weights } = quadrature(rule, steps)
  const scores = new Float64Array(way.places)
  let done = 0
  for await (const batch of pathPoints(asking, way, nodes))
    for (const point of batch) addTo(scores, point, weights[done++] ?? Number.NaN)
  return { scores, ends: { input, baseline: await scalarAt(asking, way, way.baseline) }, points: steps }
}

/**
 * The scores of one path: as many points as it takes, or a number of them by a rule.
 * @param input the scalar of the input itself
 * @throws AppError CANCELLED; whatever the model throws
 */
export function integrated(
  asking: Explaining,
  way: Way,
  { steps, rule }: { readonly steps: Steps; readonly rule: QuadratureRule },
  input: number,
): Promise<Integrated> {
  return steps === 'auto' ? automatic(asking, way) : fixed(asking, way, steps, rule, input)
}
