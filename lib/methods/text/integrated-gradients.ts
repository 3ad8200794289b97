/**
 * Integrated gradients: the score's difference between a text and a baseline, shared out among the tokens by the gradient
 * along the straight path between their embeddings. Letters: T tokens, E embedding size.
 */
import { z } from 'zod'
import { adaptiveSimpson } from '../../tensor/adaptive-quadrature.ts'
import { quadrature, QUADRATURE_RULES, type QuadratureRule } from '../../tensor/quadrature.ts'
import { scalarOf, settled } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import type { TextContext } from '../context.ts'
import { additiveResult } from './shared/additive.ts'
import { baselineParam, baselines, specialTokensParam } from './shared/baseline.ts'
import { errorAllowed, type Ends } from './shared/completeness.ts'
import { batchSize, embed, scalarsAt } from './shared/embedding.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'
import { integrate, pathPoints, type PathPoint } from './shared/path.ts'

const MOST_POINTS = 257
/** Measured on reviews of 128 tokens. */
const USUAL_POINTS = 25
const SEVERAL = 3

const params = z
  .strictObject({
    baseline: baselineParam,
    specialTokens: specialTokensParam,
    scalar: scalarParam,
    steps: z
      .union([z.literal('auto'), z.int().min(1).max(1000)])
      .default('auto')
      .meta({
        title: 'Steps',
        description:
          'auto: as many points on the path (9 to 257), where it bends, as it takes for the scores to add up to within 1 %. Or a number of points.',
      }),
    rule: z.enum(QUADRATURE_RULES).default('gauss-legendre').meta({
      title: 'Rule',
      description: 'How the points lie on the path when their number is fixed. Gauss-Legendre is the most exact.',
    }),
  })
  .refine(({ steps, rule }) => steps !== 1 || rule !== 'trapezoid', {
    path: ['steps'],
    message: 'The trapezoid rule needs at least 2 steps.',
  })
type Params = z.infer<typeof params>

export const integratedGradients = textMethod<Params>({
  id: 'integrated-gradients',
  version: 2,
  modality: 'text',
  family: 'gradient',
  title: 'Integrated gradients',
  summary:
    'What each token adds to the score of the class, compared with a text of blanks. The scores add up to the whole difference, and the error of that sum is on every run.',
  meaning:
    'What each token adds to the score of the class, compared with a text of blanks (the baseline): the slope is averaged along the straight path from the baseline to the text. The scores add up to the difference of the score between the two; the error of that sum is on every run. The unit is that of the score (logit, or log-odds with `margin`).',
  misleads:
    'Everything is relative to the baseline: one that itself leans to a class hides that much evidence (try `several`). Points of the path are mixtures of word vectors that no text has. Words that act together share their effect by how the path runs, which need not be how a reader would share it; negation is the usual case.',
  paper: {
    title: 'Axiomatic Attribution for Deep Networks',
    authors: 'Sundararajan, Taly, Yan',
    year: 2017,
    url: 'https://arxiv.org/abs/1703.01365',
  },
  needs: [{ place: 'embedding', gradient: true }],
  params,
  output: { kind: 'tokens', signed: true, complete: true },
  cost: ({ baseline, steps }) => 3 * (baseline === 'several' ? SEVERAL : 1) * (steps === 'auto' ? MOST_POINTS : steps),
  /** scores[t] = <x[t] - b[t], integral over alpha in 0..1 of dF/dx[t] at b + alpha (x - b)>; eq. 1 of the paper. */
  async run(context, chosen) {
    const { embedding, logits } = await embed(context)
    const starts = await baselines(context, embedding, chosen.baseline, chosen.specialTokens)
    const [tokens = 0] = embedding.dims
    const scores = new Float64Array(tokens)
    const target = settled(withScalar(context.target, chosen.scalar), logits.data)
    const ends = { input: scalarOf(target, logits.data, context.head.link), baseline: 0 }
    let points = 0
    for (const [index, start] of starts.entries()) {
      const path = { baseline: start.embedding, embedding }
      const progress = (share: number): void => context.progress((index + share) / starts.length)
      const one = await (chosen.steps === 'auto'
        ? automatic(context, path, target, progress)
        : fixed(context, path, target, progress, { steps: chosen.steps, rule: chosen.rule }, ends.input))
      one.scores.forEach((score, token) => (scores[token] = (scores[token] ?? 0) + score / starts.length))
      ends.baseline += one.ends.baseline / starts.length
      points += one.points
    }
    return additiveResult(context, {
      scores,
      logits,
      target,
      ends,
      points,
      advice:
        chosen.steps === 'auto'
          ? 'The gradient changes too sharply along the path for this many points; read small scores with care.'
          : 'Use more steps, or \u201cauto\u201d.',
    })
  },
})

interface Path {
  readonly baseline: FloatTensor
  readonly embedding: FloatTensor
}
interface Integrated {
  /** [T] */
  readonly scores: Float64Array
  readonly ends: Ends
  /** Gradients evaluated. */
  readonly points: number
}

/** Adds points where the scores do not add up yet, until they do or the bound is reached. No gradient is computed twice. */
async function automatic(
  context: TextContext,
  path: Path,
  target: Target,
  progress: (share: number) => void,
): Promise<Integrated> {
  const [tokens = 0] = path.embedding.dims
  let arrived = 0
  const found = await adaptiveSimpson<PathPoint>(
    {
      at: (places) => pathPoints(context, path, places, target, (more) => progress(shareDone((arrived += more)))),
      integrand: ({ contributions }) => contributions.reduce((sum, one) => sum + one, 0),
      antiderivative: (point) => point.scalar,
    },
    {
      allowed: (baseline, input) => errorAllowed({ baseline: baseline.scalar, input: input.scalar }),
      mostPoints: MOST_POINTS,
      batch: batchSize(tokens),
    },
  )
  progress(1)
  const points = found.map(({ point }) => point)
  const weights = found.map(({ weight }) => weight)
  const ends = { baseline: points[0]?.scalar ?? Number.NaN, input: points.at(-1)?.scalar ?? Number.NaN }
  return { scores: integrate(points, weights, tokens), ends, points: points.length }
}

/** How far the search is, when 25 points usually do. */
function shareDone(points: number): number {
  return points <= USUAL_POINTS
    ? (0.8 * points) / USUAL_POINTS
    : 0.8 + (0.19 * (points - USUAL_POINTS)) / (MOST_POINTS - USUAL_POINTS)
}

async function fixed(
  context: TextContext,
  path: Path,
  target: Target,
  progress: (share: number) => void,
  { steps, rule }: { readonly steps: number; readonly rule: QuadratureRule },
  input: number,
): Promise<Integrated> {
  const [tokens = 0, size = 0] = path.embedding.dims
  const { nodes, weights } = quadrature(rule, steps)
  let done = 0
  const points = await pathPoints(context, path, nodes, target, (more) => progress((done += more) / steps))
  const [baseline = Number.NaN] = await scalarsAt(context, float32(path.baseline.data, [1, tokens, size]), target)
  return { scores: integrate(points, weights, tokens), ends: { input, baseline }, points: steps }
}
