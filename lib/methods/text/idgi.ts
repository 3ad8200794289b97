/**
 * Important direction integrated gradients: along the path of integrated gradients each step's change of the score is shared
 * out by the squares of the gradient there, so that only the direction in which the score changes counts.
 * Letters: T tokens, E embedding size.
 */
import { z } from 'zod'
import { divide, square, sum, type Formula } from '../../engine/formula.ts'
import { scalarOf, settled } from '../../target/scalar.ts'
import { textMethod } from '../method.ts'
import { pathPoints, type PathPoint } from '../shared/path-integral.ts'
import { additiveResult } from './shared/additive.ts'
import { baselineParam, baselines, specialTokensParam } from './shared/baseline.ts'
import { embed } from './shared/embedding.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'
import { wayOf } from './shared/way.ts'

/** Baselines that `several` stands for. */
const SEVERAL = 3

const params = z.strictObject({
  baseline: baselineParam,
  specialTokens: specialTokensParam,
  steps: z.int().min(1).max(1000).default(32).meta({
    title: 'Steps',
    description: 'Into how many equal steps the way from the baseline to the text is cut.',
  }),
  scalar: scalarParam,
})

export const idgi = textMethod<z.infer<typeof params>>({
  id: 'idgi',
  version: 1,
  modality: 'text',
  family: 'gradient',
  title: 'Important direction gradient integration',
  summary:
    'Integrated gradients without the noise of the path: at each step only the direction in which the score changes counts. The scores add up to the whole difference from the baseline.',
  meaning:
    "The way from a text of blanks to the text is cut into steps. What the score gains in a step is measured, and shared out among the tokens by the squared length of the gradient at each, the score's own direction of steepest change. The scores therefore add up to the score's difference between text and baseline whatever the number of steps, in the unit of the score; a token is positive where the score mostly rose while it was sensitive to that token.",
  misleads:
    "Within a step every token gets a share of one sign, so evidence against the class shows only where the score fell along the way: signs say less of single words than those of integrated gradients. Sensitivity decides the shares, not what changed: [CLS] and [SEP], the same in the baseline, still get some. The paper explains the probability; here it is the run's target, by default the logit. As with every path method, all is relative to the baseline.",
  paper: {
    title: 'IDGI: A Framework to Eliminate Explanation Noise from Integrated Gradients',
    authors: 'Yang, Wang, Bilgic',
    year: 2023,
    url: 'https://arxiv.org/abs/2303.14242',
  },
  needs: [{ place: 'embedding', gradient: true }],
  params,
  output: { kind: 'tokens', signed: true, complete: true },
  cost: ({ baseline, steps }) => 3 * (baseline === 'several' ? SEVERAL : 1) * (steps + 1),
  /** scores[t] = sum over steps j of ||g_j[t]||^2 / ||g_j||^2 (F(x_{j+1}) - F(x_j)); algorithm 1 of the paper. */
  async run(context, { baseline, specialTokens, steps, scalar }) {
    const { embedding, logits } = await embed(context)
    const starts = await baselines(context, embedding, baseline, specialTokens)
    const target = settled(withScalar(context.target, scalar), logits.data)
    const scores = new Float64Array(embedding.dims[0] ?? 0)
    const ends = { input: scalarOf(target, logits.data, context.head.link), baseline: 0 }
    const places = Array.from({ length: steps + 1 }, (_, step) => step / steps)
    for (const [index, { embedding: from }] of starts.entries()) {
      const progress = (share: number): void => context.progress((index + share) / starts.length)
      const points: PathPoint[] = []
      const asking = { ...context, target, progress }
      for await (const batch of pathPoints(asking, wayOf(context, embedding, from), places, shares))
        points.push(...batch)
      shareOut(points, scores, 1 / starts.length)
      ends.baseline += (points[0]?.scalar ?? Number.NaN) / starts.length
    }
    const all = places.length * starts.length
    const advice =
      'The gradient is zero on a part of the way, whose change nothing can be blamed for: try another baseline.'
    return additiveResult(context, { scores, logits, target, ends, points: all, advice })
  },
})

/** Of a gradient [B, T, E]: the squared length at each token as a share of the whole, [B, T, 1]; 0 where there is none. */
const shares = (gradient: Formula): Formula => divide(sum(square(gradient), [2]), sum(square(gradient), [1, 2]))

/** @param points with the tokens' shares, [T] */
function shareOut(points: readonly PathPoint[], scores: Float64Array, weight: number): void {
  points.slice(1).forEach((next, step) => {
    const here = points[step]
    const gain = weight * (next.scalar - (here?.scalar ?? Number.NaN))
    here?.contributions.forEach((one, token) => (scores[token] = (scores[token] ?? 0) + gain * one))
  })
}
