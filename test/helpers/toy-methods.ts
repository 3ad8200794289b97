/** A method that Limelight does not have, under the id of one for texts: what a file of a method holds, and nothing else. */
import { z } from 'zod'
import { gradient, mean } from '../../lib/engine/formula.ts'
import { plane } from '../../lib/methods/image/shared/cam.ts'
import { METHODS } from '../../lib/methods/index.ts'
import { imageMethod, type Method } from '../../lib/methods/method.ts'
import { readOnce, tapIn, type Reading } from '../../lib/methods/shared/reading.ts'

const toyMethod = imageMethod({
  id: 'gradient-norm',
  version: 7,
  modality: 'image',
  family: 'gradient',
  title: 'Mean gradient',
  summary: 'The gradient at a layer, averaged over its channels.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [{ place: 'spatial-tap', gradient: true }],
  params: z.strictObject({
    sharpness: z.number().min(0).max(9).default(2).meta({ title: 'Sharpness', description: 'Unused.' }),
  }),
  output: { kind: 'map', signed: true, complete: false },
  cost: () => 3,
  async run(context) {
    const tap = tapIn(context)
    const reading: Reading = {
      target: context.target,
      outputs: { map: mean(gradient(tap.id), [1]) },
      attribution: ({ map }) => plane(map),
    }
    const { outputs, logits } = await readOnce(context, reading)
    context.progress(1)
    return { kind: 'image', map: reading.attribution(outputs), layer: tap.id, logits, diagnoses: [] }
  },
})

/** The list with one more line. */
export const WITH_TOY: readonly Method[] = [...METHODS, toyMethod]
