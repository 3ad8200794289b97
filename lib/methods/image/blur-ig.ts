/**
 * Blur IG: integrated gradients along the path on which the picture comes into focus.
 *
 * Xu et al. 2020, https://arxiv.org/abs/2004.03383, equation 4: the integral over σ from wide to 0 of dF/dL · dL/dσ, with L the
 * picture blurred by a Gaussian of σ; summed over the colours of a pixel. dL/dσ is exact (the authors' code takes a difference), edges
 * are mirrored (theirs are black, which adds edges that no picture has), and points lie where the scores bend.
 */
import { z } from 'zod'
import { imageMethod } from '../method.ts'
import { fewEnough, integrated, MOST_POINTS, ruleField, stepsField, TOO_FEW } from '../shared/path-integral.ts'
import { askedOf, gradientRows } from './shared/asked.ts'
import { BLUR_SHARE, widestBlur } from './shared/baseline.ts'
import { blurPath } from './shared/blur-path.ts'
import { completeResult, sameNumbers } from './shared/complete.ts'
import { COLOURS } from './shared/pixels.ts'

const widestField = z.number().min(0.01).max(0.5).default(BLUR_SHARE).meta({
  title: 'Widest blur',
  description: "Standard deviation of the blur at the beginning, as a share of the model input's shorter side.",
})
const params = z.strictObject({ widest: widestField, steps: stepsField, rule: ruleField }).refine(fewEnough, TOO_FEW)

export const blurIg = imageMethod<z.infer<typeof params>>({
  id: 'blur-ig',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'Blur IG',
  summary:
    'What each pixel adds to the score while the picture comes into focus. No colour is chosen as a baseline, and the map adds up.',
  meaning:
    'Integrated gradients along another path: from a strongly blurred picture to the sharp one, so that information appears from coarse to fine and nothing appears that is not in the picture. The map adds up to the difference of the score between the sharp picture and the blurred one, in the unit of the score; the error of that sum and the number of gradients are on the run.',
  misleads:
    'What the blurred picture already shows (its colours, large shapes) is not explained: where the model recognises the class by colour, little is left for the map. So edges lead, as in any method that compares with a blur. A wider blur explains more of the score, through pictures that look less like any photograph. Compare integrated gradients from black, which sees colours and is blind to dark.',
  paper: {
    title: 'Attribution in Scale and Space',
    authors: 'Xu, Venugopalan, Sundararajan',
    year: 2020,
    url: 'https://arxiv.org/abs/2004.03383',
  },
  needs: [{ place: 'input', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: true },
  cost: ({ steps }) => 2 + 4 * (steps === 'auto' ? MOST_POINTS : steps),
  async run(context, { widest, ...chosen }) {
    const asked = await askedOf(context)
    const { picture, input } = context
    const [, colours = 1] = picture.dims
    const { baseline, ...path } = blurPath(picture, widestBlur(context, widest))
    const places = picture.data.length / colours
    const way = { place: input, path, baseline, over: COLOURS, places, perQuestion: gradientRows(context) }
    const { scores, ends, points } = await integrated(asked.asking, way, chosen, asked.scalar)
    return completeResult(asked, {
      scores,
      ends,
      points,
      advice:
        chosen.steps === 'auto'
          ? 'The gradient changes too sharply along the path for this many points; read small scores with care.'
          : 'Use more steps, or \u201cauto\u201d.',
      same: sameNumbers(picture.data, baseline.data),
    })
  },
})
