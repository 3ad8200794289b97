/**
 * IDGI: integrated gradients that follow, at each step, only the direction in which the score changes.
 *
 * Yang et al. 2023, https://arxiv.org/abs/2303.14242, algorithm 1: with x_j the points of a path and g_j the gradient there, each
 * step shares out d_j = F(x_{j+1}) - F(x_j) by g_j² / |g_j|²; summed over the colours of a pixel. F is the target (a logit by
 * default; the paper's is a probability).
 */
import { z } from 'zod'
import { divide, square, sum } from '../../engine/formula.ts'
import { imageMethod } from '../method.ts'
import { pathPoints, type PathPoint } from '../shared/path-integral.ts'
import { straightPath } from '../shared/path-rows.ts'
import type { ImageContext } from '../context.ts'
import { askedOf, gradientRows } from './shared/asked.ts'
import { singleBaseline, singleBaselineField, widestBlur } from './shared/baseline.ts'
import { blurPath } from './shared/blur-path.ts'
import { completeResult, sameNumbers } from './shared/complete.ts'
import { COLOURS } from './shared/pixels.ts'

const EVERY_AXIS = [1, 2, 3]
const params = z.strictObject({
  path: z.enum(['straight', 'blur']).default('straight').meta({
    title: 'Path',
    description:
      'straight: from the baseline, as integrated gradients. blur: the picture comes into focus, as Blur IG.',
  }),
  baseline: singleBaselineField,
  steps: z.int().min(1).max(1000).default(64).meta({ title: 'Steps', description: 'Equal steps on the path.' }),
})

function pathOf(context: ImageContext, { path, baseline }: z.infer<typeof params>) {
  if (path === 'blur') return blurPath(context.picture, widestBlur(context))
  const start = singleBaseline(context, baseline)
  return { ...straightPath(context.picture, start), baseline: start }
}

export const idgi = imageMethod<z.infer<typeof params>>({
  id: 'idgi',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'IDGI',
  summary:
    'Integrated gradients without the noise of directions that do not change the score: each step of the path shares out exactly what it changed.',
  meaning:
    "Along the path from the baseline to the picture, the change of the score at each step is shared out by the squared gradient there: pixels to which the score reacts most get most of it. Steps on which the score rose count for the class, steps on which it fell against it. The map adds up to the whole difference by construction, in the score's unit.",
  misleads:
    'Within a step all pixels get the same sign, whatever each one did: a pixel that worked against the class is credited wherever the score rose. So the map says where and how much, hardly which side. How far a pixel moved on the path plays no role either, so one that equals the baseline may score. That it adds up is no evidence here: any shares would. Compare integrated gradients with the same baseline.',
  paper: {
    title: 'IDGI: A Framework to Eliminate Explanation Noise from Integrated Gradients',
    authors: 'Yang, Wang, Bilgic',
    year: 2023,
    url: 'https://arxiv.org/abs/2303.14242',
  },
  needs: [{ place: 'input', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: true },
  cost: ({ steps }) => 1 + 4 * (steps + 1),
  async run(context, chosen) {
    const asked = await askedOf(context)
    const { picture, input } = context
    const [, colours = 1] = picture.dims
    const { baseline, ...path } = pathOf(context, chosen)
    const places = picture.data.length / colours
    const way = { place: input, path, baseline, over: COLOURS, places, perQuestion: gradientRows(context) }
    const alphas = Array.from({ length: chosen.steps + 1 }, (_, step) => step / chosen.steps)
    const scores = new Float64Array(places)
    let [first, before]: (PathPoint | null)[] = [null, null]
    const shares = pathPoints(asked.asking, way, alphas, (slope) =>
      divide(sum(square(slope), COLOURS), sum(square(slope), EVERY_AXIS)),
    )
    for await (const batch of shares)
      for (const point of batch) {
        const { contributions, scalar } = before ?? point
        for (let at = 0; at < places; at += 1)
          scores[at] = (scores[at] ?? 0) + (point.scalar - scalar) * (contributions[at] ?? Number.NaN)
        first ??= point
        before = point
      }
    return completeResult(asked, {
      scores,
      ends: { input: asked.scalar, baseline: first?.scalar ?? Number.NaN },
      points: alphas.length,
      advice: 'On some steps the gradient was zero while the score changed. Use more steps.',
      same: sameNumbers(picture.data, baseline.data),
    })
  },
})
