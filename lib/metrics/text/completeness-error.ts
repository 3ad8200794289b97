/** |sum phi - (F(x) - F(b))| / |F(x) - F(b)| (Sundararajan et al. 2017, 1703.01365, proposition 1), at a stated baseline b. */
import { z } from 'zod'
import { baselines, baselineParam, specialTokensParam } from '../../methods/text/shared/baseline.ts'
import { embed, scalarsAt } from '../../methods/text/shared/embedding.ts'
import { scalarParam, withScalar } from '../../methods/text/shared/scalar-param.ts'
import { scalarOf, settled } from '../../target/scalar.ts'
import { float32 } from '../../tensor/tensor.ts'
import { textMetric } from '../metric.ts'
import { COMPLETENESS_ERROR, completenessResult } from '../shared/completeness.ts'
import { mean } from '../shared/statistics.ts'

const params = z.strictObject({ baseline: baselineParam, specialTokens: specialTokensParam, scalar: scalarParam })

export const completenessError = textMetric<z.infer<typeof params>>({
  ...COMPLETENESS_ERROR,
  modality: 'text',
  summary: 'How far the scores are from adding up to what the text makes of the explained number.',
  meaning:
    'A complete attribution distributes the difference between the explained number of the text and that of a baseline over the tokens, special ones included, so that they add up to it. The number is what is lacking or too much, as a share of that difference: 0 is exact, 0.01 one per cent, 1 as much as the difference itself.',
  misleads:
    'Only methods that promise to be complete can be near 0, and only at their own baseline and for their own number: give the parameters that the run was given. It says nothing of where the scores lie. Where text and baseline score alike the share is of nearly nothing, and large for any method.',
  needs: [{ place: 'embedding' }],
  params,
  cost: () => 8,
  async run(context, { baseline, specialTokens, scalar }) {
    const { embedding, logits } = await embed(context)
    const target = settled(withScalar(context.target, scalar), logits.data)
    const points = await baselines(context, embedding, baseline, specialTokens)
    const scalars: number[] = []
    for (const { embedding: point } of points)
      scalars.push(...(await scalarsAt(context, float32(point.data, [1, ...point.dims]), target)))
    const whole = scalarOf(target, logits.data, context.head.link)
    return completenessResult(context.attribution.data, whole - mean(scalars))
  },
})
