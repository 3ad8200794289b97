/** DeepLIFT with the rescale rule: differences from a baseline, followed back. Letters: T tokens, E embedding size. */
import { z } from 'zod'
import { given, gradient, multiply, subtract, sum, value } from '../../engine/formula.ts'
import { scalarOf, settled } from '../../target/scalar.ts'
import { float32 } from '../../tensor/tensor.ts'
import { textMethod } from '../method.ts'
import { answered } from '../shared/batches.ts'
import { readOnce, tapIn } from '../shared/reading.ts'
import { additiveResult } from './shared/additive.ts'
import { baselineParam, baselines, specialTokensParam } from './shared/baseline.ts'
import { embed, scalarsAt } from './shared/embedding.ts'
import { scalarParam, withScalar } from './shared/scalar-param.ts'

const RULES = 'rescale'
/** Baselines that `several` stands for. */
const SEVERAL = 3

const params = z.strictObject({ baseline: baselineParam, specialTokens: specialTokensParam, scalar: scalarParam })

export const deepLift = textMethod<z.infer<typeof params>>({
  id: 'deep-lift',
  version: 1,
  modality: 'text',
  family: 'relevance',
  title: 'DeepLIFT',
  summary:
    'What each token adds to the score of the class, compared with a text of blanks, by following every difference back through the network. The scores add up to the whole difference.',
  meaning:
    'The network is run on the text and on a baseline, a text of blanks, and the difference of the score is handed back layer by layer to the differences that made it: each activation by the ratio of its own differences (the rescale rule), each product of two that differ by the mean of the other factor, softmax as exponential, sum and logarithm, and normalisations part by part. The scores add up to the difference of the score, in its unit, from two forward passes and one back; positive speaks for the class.',
  misleads:
    'Everything is relative to the baseline, as in integrated gradients, and chains of ratios are less even than a path: where a difference is nearly zero inside the network its ratio is a matter of rounding, and single scores can be large with opposite signs though their sum is right. The paper has rules for activations only; those for products, softmax and normalisation are this product\u2019s (exact, and symmetric in the factors); where other libraries have other rules or take the plain gradient, so their numbers on transformers differ.',
  paper: {
    title: 'Learning Important Features Through Propagating Activation Differences',
    authors: 'Shrikumar, Greenside, Kundaje',
    year: 2017,
    url: 'https://arxiv.org/abs/1704.02685',
  },
  needs: [{ place: 'embedding', gradient: true, rules: RULES }],
  params,
  output: { kind: 'tokens', signed: true, complete: true },
  // Both texts forward and the multipliers back, beside the baseline's own score.
  cost: ({ baseline }) => 6 * (baseline === 'several' ? SEVERAL : 1) + 1,
  /** scores[t] = <m[t], x[t] - b[t]>, m the multipliers; summation to delta, equation 1 of the paper. */
  async run(context, { baseline, specialTokens, scalar }) {
    const { id } = tapIn(context)
    const { embedding, logits } = await embed(context)
    const starts = await baselines(context, embedding, baseline, specialTokens)
    const [tokens = 0] = embedding.dims
    const target = settled(withScalar(context.target, scalar), logits.data)
    const scores = new Float64Array(tokens)
    const ends = { input: scalarOf(target, logits.data, context.head.link), baseline: 0 }
    for (const [index, start] of starts.entries()) {
      const blank = float32(start.embedding.data, [1, ...embedding.dims])
      const { outputs } = await readOnce(context, {
        target,
        outputs: { scores: sum(multiply(gradient(id), subtract(value(id), given('blank'))), [2]) }, // [N, T, 1]
        shared: { blank },
        rules: { id: RULES, reference: { from: { [id]: blank } } },
        attribution: (each) => answered(each, 'scores'),
      })
      answered(outputs, 'scores').data.forEach(
        (one, token) => (scores[token] = (scores[token] ?? 0) + one / starts.length),
      )
      const [there = Number.NaN] = await scalarsAt(context, blank, target)
      ends.baseline += there / starts.length
      context.progress((index + 1) / starts.length)
    }
    const advice = 'Differences inside the network are near the rounding of its numbers: try another baseline.'
    return additiveResult(context, { scores, logits, target, ends, points: starts.length, advice })
  },
})
