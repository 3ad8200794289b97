/**
 * Integrated gradients: the score's difference between a picture and a baseline, shared out among the pixels by the gradient along
 * the straight path between them.
 *
 * Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365, equation 1, summed over the colours of a pixel.
 */
import { z } from 'zod'
import { imageMethod } from '../method.ts'
import { fewEnough, integrated, MOST_POINTS, ruleField, stepsField, TOO_FEW } from '../shared/path-integral.ts'
import { straightPath } from '../shared/path-rows.ts'
import { askedOf, gradientRows } from './shared/asked.ts'
import { baselineCount, baselineField, baselinesOf, randomBaselinesField } from './shared/baseline.ts'
import { completeResult, sameNumbers } from './shared/complete.ts'
import { COLOURS } from './shared/pixels.ts'

const params = z
  .strictObject({
    baseline: baselineField,
    randomBaselines: randomBaselinesField,
    steps: stepsField,
    rule: ruleField,
  })
  .refine(fewEnough, TOO_FEW)

export const integratedGradients = imageMethod<z.infer<typeof params>>({
  id: 'integrated-gradients',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'Integrated gradients',
  summary:
    'What each pixel adds to the score of the class, compared with a baseline picture. The map adds up to the whole difference, and the error of that sum is on every run.',
  meaning:
    'The slope at each pixel, averaged along the straight fade from the baseline to the picture, times how far the pixel goes on the way. The map adds up to the difference of the score between the two, in the unit of the score; the error of that sum and the number of gradients are on the run. A pixel at 0.1 raised the score by 0.1 on the way.',
  misleads:
    'Everything is relative to the baseline: pixels that look like it score 0, so a black baseline cannot see that black matters (compare `several` or `random`). The faded pictures on the path are none that the model was trained on, and where the score jumps there the map is noise that happened far from the picture. Single pixels of both signs sit side by side: look at regions, or compare Guided and Blur IG.',
  paper: {
    title: 'Axiomatic Attribution for Deep Networks',
    authors: 'Sundararajan, Taly, Yan',
    year: 2017,
    url: 'https://arxiv.org/abs/1703.01365',
  },
  needs: [{ place: 'input', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: true },
  cost: (chosen) => 1 + baselineCount(chosen) * (1 + 4 * (chosen.steps === 'auto' ? MOST_POINTS : chosen.steps)),
  async run(context, chosen) {
    const asked = await askedOf(context)
    const { picture, input } = context
    const [, colours = 1] = picture.dims
    const places = picture.data.length / colours
    const count = baselineCount(chosen)
    const scores = new Float64Array(places)
    const ends = { input: asked.scalar, baseline: 0 }
    let [points, done, same] = [0, 0, true]
    for (const baseline of baselinesOf(context, chosen)) {
      const before = done
      const progress = (share: number): void => context.progress((before + share) / count)
      const path = straightPath(picture, baseline)
      const way = { place: input, path, baseline, over: COLOURS, places, perQuestion: gradientRows(context) }
      const one = await integrated({ ...asked.asking, progress }, way, chosen, asked.scalar)
      one.scores.forEach((score, at) => (scores[at] = (scores[at] ?? 0) + score / count))
      ends.baseline += one.ends.baseline / count
      points += one.points
      done += 1
      same &&= sameNumbers(picture.data, baseline.data)
    }
    const advice =
      chosen.steps === 'auto'
        ? 'The gradient changes too sharply along the path for this many points; read small scores with care.'
        : 'Use more steps, or \u201cauto\u201d.'
    return completeResult(asked, { scores, ends, points, advice, same })
  },
})
