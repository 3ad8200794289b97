/** XRAI (Kapishnikov et al. 2019, 1906.02825): regions of the picture, ranked by their integrated gradients. */
import { z } from 'zod'
import { float32 } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { completenessDiagnosis, completenessOf } from '../shared/completeness.ts'
import { integrated, MOST_POINTS, stepsField } from '../shared/path-integral.ts'
import { straightPath } from '../shared/path-rows.ts'
import { askedOf, gradientRows } from './shared/asked.ts'
import { singleBaseline } from './shared/baseline.ts'
import { diagnosePixels } from './shared/diagnose-pixels.ts'
import { COLOURS } from './shared/pixels.ts'
import { sizesFor, xraiMap, xraiMasks } from './shared/xrai-regions.ts'

const params = z.strictObject({ steps: stepsField })
/** Each hides what the other shows: black objects from a black one. */
const BASELINES = ['black', 'white'] as const

export const xrai = imageMethod<z.infer<typeof params>>({
  id: 'xrai',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'XRAI',
  summary:
    'Which regions of the picture speak for the class: segments at several scales, each with the mean of the integrated gradients that it adds.',
  meaning:
    'Integrated gradients, averaged over a black and a white baseline, are gathered by regions: the picture is cut into segments at six scales, and the region whose new pixels have the highest mean attribution is taken, again and again. A pixel has the mean attribution of the region it was taken with, in score per pixel. The order of the values is the result: the top 10 % of the pixels are the smallest set of regions that holds most of the evidence.',
  misleads:
    'The shapes are those of colour edges, not of what the model looks at: a region is lit as a whole, and its outline proves nothing. What integrated gradients get wrong (baselines, paths through pictures the model never met) is averaged, not mended. Regions that overlap are paid for once, so those taken late score low beside a neighbour that was taken before. Values of different pictures do not compare.',
  paper: {
    title: 'XRAI: Better Attributions Through Regions',
    authors: 'Kapishnikov, Bolukbasi, Vi\u00e9gas, Terry',
    year: 2019,
    url: 'https://arxiv.org/abs/1906.02825',
  },
  needs: [{ place: 'input', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: ({ steps }) => 1 + BASELINES.length * (1 + 4 * (steps === 'auto' ? MOST_POINTS : steps)),
  async run(context, { steps }) {
    const asked = await askedOf(context)
    const { picture, input, units } = context
    const [, colours = 1, height = 0, width = 0] = picture.dims
    const area = picture.data.length / colours
    const scores = new Float64Array(area)
    const ends = { input: asked.scalar, baseline: 0 }
    let points = 0
    for (const [index, name] of BASELINES.entries()) {
      const progress = (share: number): void => context.progress((index + share) / BASELINES.length)
      const baseline = singleBaseline(context, name)
      const path = straightPath(picture, baseline)
      const way = { place: input, path, baseline, over: COLOURS, places: area, perQuestion: gradientRows(context) }
      const rule = { steps, rule: 'gauss-legendre' } as const
      const one = await integrated({ ...asked.asking, progress }, way, rule, asked.scalar)
      one.scores.forEach((score, at) => (scores[at] = (scores[at] as number) + score / BASELINES.length))
      ends.baseline += one.ends.baseline / BASELINES.length
      points += one.points
    }
    const sizes = sizesFor(height, width)
    const masks = xraiMasks(units.levels(picture), height, width, sizes)
    const map = float32(Float32Array.from(xraiMap(scores, masks, sizes.added)), [height, width])
    const completeness = completenessOf(scores.reduce((sum, one) => sum + one, 0), ends, points) // prettier-ignore
    const diagnoses = [
      ...completenessDiagnosis(completeness, ends, 'Use more steps, or \u201cauto\u201d.', 'image'),
      ...diagnosePixels(asked.asking, map, asked.logits, asked.asking.target, null),
    ]
    return { kind: 'image', map, layer: null, logits: asked.logits, diagnoses }
  },
})
