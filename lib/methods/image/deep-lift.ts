/**
 * DeepLIFT with the rescale rule: what each pixel adds to the score, compared with a baseline, in one pass of each.
 *
 * Shrikumar et al. 2017, https://arxiv.org/abs/1704.02685, equations 5 and 8: multipliers times differences from the baseline, summed
 * over the colours of a pixel. Products, softmax and pooling: see the rule set (engine/onnx/gradient/rule-sets/rescale.ts).
 */
import { z } from 'zod'
import { given, multiply, subtract } from '../../engine/formula.ts'
import type { ImageContext } from '../context.ts'
import { imageMethod } from '../method.ts'
import { scalarAt } from '../shared/path-integral.ts'
import { readOnce, type Reading } from '../shared/reading.ts'
import { scalarOf } from '../../target/scalar.ts'
import type { FloatTensor } from '../../tensor/tensor.ts'
import { singleBaseline, singleBaselineField } from './shared/baseline.ts'
import { completeResult, sameNumbers } from './shared/complete.ts'
import { pixelReading } from './shared/pixels.ts'

const RULES = 'rescale'
const params = z.strictObject({ baseline: singleBaselineField })
type Params = z.infer<typeof params>

/** Multiplier times difference. */
function readFrom(context: ImageContext, baseline: FloatTensor): Reading {
  return pixelReading(context, {
    perColour: (multiplier, picture) => multiply(multiplier, subtract(picture, given('baseline'))),
    shared: { baseline },
    rules: { id: RULES, reference: { feeds: { [context.input]: baseline } } },
  })
}

export const deepLift = imageMethod<Params>({
  id: 'deep-lift',
  version: 1,
  modality: 'image',
  family: 'relevance',
  title: 'DeepLIFT',
  summary:
    'What each pixel adds to the score of the class, compared with a baseline picture: as integrated gradients, in one pass. The map adds up to the whole difference.',
  meaning:
    "How much each pixel's difference from the baseline moved the score. At every activation the slope is replaced by the ratio of the two differences (after it, before it), so nothing is lost where a unit is saturated, and the map adds up to the difference of the score between picture and baseline; the error of that sum is on the run. The unit is the score's own.",
  misleads:
    'Everything is relative to the baseline, as with integrated gradients. Each layer is judged for itself: where units act together (products, gates, max pooling whose winner changes) the shares follow the rule, not a property of the function, and two networks that compute the same may get different maps (it is not implementation invariant). Compare integrated gradients with the same baseline; where the two disagree, trust neither alone.',
  paper: {
    title: 'Learning Important Features Through Propagating Activation Differences',
    authors: 'Shrikumar, Greenside, Kundaje',
    year: 2017,
    url: 'https://arxiv.org/abs/1704.02685',
  },
  needs: [{ place: 'input', gradient: true, rules: RULES }],
  params,
  output: { kind: 'map', signed: true, complete: true },
  // Both pictures forward, the multipliers back, and the baseline's score.
  cost: () => 7,
  reading: (context, chosen) => readFrom(context, singleBaseline(context, chosen.baseline)),
  async run(context, chosen) {
    const baseline = singleBaseline(context, chosen.baseline)
    const reading = readFrom(context, baseline)
    const { outputs, logits, target } = await readOnce(context, reading)
    const asking = { ...context, target }
    const scalar = scalarOf(target, logits.data, context.head.link)
    const ends = { input: scalar, baseline: await scalarAt(asking, { place: context.input }, baseline) }
    context.progress(1)
    return completeResult(
      { asking, logits, scalar },
      {
        scores: reading.attribution(outputs).data,
        ends,
        points: 1,
        advice: 'Differences near zero are taken for none; read small scores with care, or ask integrated gradients.',
        same: sameNumbers(baseline.data, context.picture.data),
      },
    )
  },
})
