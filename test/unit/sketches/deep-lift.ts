/** DeepLIFT with the rescale rule (Shrikumar et al. 2017, 1704.02685): what each pixel adds, compared with a black picture. */
import { z } from 'zod'
import { given, gradient, multiply, subtract, sum, value } from '../../../lib/engine/formula.ts'
import { plane } from '../../../lib/methods/image/shared/cam.ts'
import type { ImageContext } from '../../../lib/methods/context.ts'
import { diagnoseMap } from '../../../lib/methods/image/shared/diagnose.ts'
import { imageMethod } from '../../../lib/methods/method.ts'
import { readOnce, tapIn, type Reading } from '../../../lib/methods/shared/reading.ts'

const RULES = 'rescale'

function reading(context: ImageContext): Reading {
  const { input, units, target } = context
  const { id } = tapIn(context)
  const black = units.colour([0, 0, 0])
  return {
    target,
    // multiplier x difference, summed over colours: [N, 1, H, W]
    outputs: { map: sum(multiply(gradient(id), subtract(value(id), given('black'))), [1]) },
    shared: { black },
    rules: { id: RULES, reference: { feeds: { [input]: black } } },
    attribution: ({ map }) => plane(map),
  }
}

export const deepLift = imageMethod({
  id: 'deep-lift',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'DeepLIFT',
  summary: 'What each pixel adds to the score of the class, compared with a black picture.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [{ place: 'input', gradient: true, rules: RULES }],
  params: z.strictObject({}),
  output: { kind: 'map', signed: true, complete: false }, // to rounding, but it states no error
  // Both pictures forward, and the multipliers back.
  cost: () => 5,
  reading,
  async run(context) {
    const of = reading(context)
    const { outputs, logits, target } = await readOnce(context, of)
    context.progress(1)
    const map = of.attribution(outputs)
    return {
      kind: 'image',
      map,
      layer: null,
      logits,
      diagnoses: diagnoseMap(map, logits, target, null, context.head.link),
    }
  },
})
