/**
 * Guided IG: integrated gradients along a path that moves first where the gradient is small, so that noise of the path between
 * baseline and picture is not collected.
 *
 * Kapishnikov et al. 2021, https://arxiv.org/abs/2106.09788; the walk is in shared/guided-path.ts. Summed over the colours of a
 * pixel. Each point depends on the gradient before it, so points are asked one by one.
 */
import { z } from 'zod'
import { throwIfCancelled } from '../../errors.ts'
import { stateScalar } from '../../target/scalar.ts'
import { float32 } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { answered } from '../shared/batches.ts'
import { scalarAt } from '../shared/path-integral.ts'
import { askedOf } from './shared/asked.ts'
import { singleBaseline, singleBaselineField } from './shared/baseline.ts'
import { completeResult, sameNumbers } from './shared/complete.ts'
import { walkGuided } from './shared/guided-path.ts'
import { viewed } from './shared/pixels.ts'

const params = z.strictObject({
  baseline: singleBaselineField,
  steps: z.int().min(2).max(1000).default(100).meta({
    title: 'Steps',
    description: 'Points of the path, one after another. The sum comes closer with more.',
  }),
  fraction: z.number().min(0.01).max(1).default(0.25).meta({
    title: 'Fraction',
    description: 'Share of the numbers of the picture that move at a time: those with the smallest gradients.',
  }),
  band: z.number().min(0).max(1).default(0.02).meta({
    title: 'Band',
    description:
      'How far a number may leave the straight path, as a share of its way. 0: integrated gradients. 1: anywhere.',
  }),
})

export const guidedIg = imageMethod<z.infer<typeof params>>({
  id: 'guided-ig',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'Guided IG',
  summary:
    'Integrated gradients along a path that the model itself guides: pixels with small gradients move first, so that less noise is collected.',
  meaning:
    'What each pixel adds to the score on the way from the baseline to the picture, on a path that goes around places where the score jumps: at each step the pixels with the smallest gradients move, within a band around the straight path. The map adds up to the difference of the score between picture and baseline, up to an error that is on the run and shrinks with more steps.',
  misleads:
    'The path depends on the model and the picture, so two maps are not comparisons along the same way, and a pixel that moves early is judged where most others are still at the baseline. By choosing small gradients the walk also avoids what it is to explain: with a wide band the last steps carry most of the score, on few pixels. Everything is relative to the baseline. Compare integrated gradients (band 0): what only one of them shows is the path.',
  paper: {
    title: 'Guided Integrated Gradients: An Adaptive Path Method for Removing Noise',
    authors: 'Kapishnikov, Venugopalan, Avci, Wedin, Terry, Bolukbasi',
    year: 2021,
    url: 'https://arxiv.org/abs/2106.09788',
  },
  needs: [{ place: 'input', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: true },
  cost: ({ steps }) => 2 + 5 * steps,
  async run(context, { baseline: choice, ...path }) {
    const asked = await askedOf(context)
    const { model, head, input, picture, signal } = context
    const { target } = asked.asking
    const baseline = singleBaseline(context, choice)
    const { of, perRow } = stateScalar(target, head)
    const perColour = await walkGuided(baseline.data, picture.data, path, async (point, step) => {
      throwIfCancelled(signal)
      const feeds = { [input]: float32(point, picture.dims) }
      const question = { feeds, read: [], gradient: { of, wrt: [input] }, formulas: { perRow } }
      const { gradients } = await model.ask(question, signal)
      throwIfCancelled(signal)
      context.progress((step + 1) / (path.steps + 1))
      return answered(gradients, input).data
    })
    const [, , height = 0, width = 0] = picture.dims
    const ends = { input: asked.scalar, baseline: await scalarAt(asked.asking, { place: input }, baseline) }
    context.progress(1)
    return completeResult(asked, {
      scores: viewed(perColour, [height, width], 'signed').data,
      ends,
      points: path.steps,
      advice: 'Use more steps, or a narrower band.',
      same: sameNumbers(picture.data, baseline.data),
    })
  },
})
