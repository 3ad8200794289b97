/**
 * Integrated gradients: the score's difference between a text and a baseline, shared out among the tokens by the gradient
 * along the straight path between their embeddings. Letters: T tokens, E embedding size.
 */
import { z } from 'zod'
import { scalarOf, settled } from '../../target/scalar.ts'
import { textMethod } from '../method.ts'
import { additiveResult } from './shared/additive.ts'
import { baselineParam, baselines, specialTokensParam } from './shared/baseline.ts'
import { fewEnough, integrated, MOST_POINTS, ruleField, stepsField, TOO_FEW } from '../shared/path-integral.ts'
import { embed } from './shared/embedding.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'
import { wayOf } from './shared/way.ts'

const SEVERAL = 3

const params = z
  .strictObject({
    baseline: baselineParam,
    specialTokens: specialTokensParam,
    scalar: scalarParam,
    steps: stepsField,
    rule: ruleField,
  })
  .refine(fewEnough, TOO_FEW)
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
      const one = await integrated(
        { ...context, target, progress: (share) => context.progress((index + share) / starts.length) },
        wayOf(context, embedding, start.embedding),
        chosen,
        ends.input,
      )
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
