/** KernelSHAP on superpixels (Lundberg and Lee 2017, 1705.07874): the Shapley values of superpixels, by sampling. */
import { z } from 'zod'
import { imageMethod } from '../method.ts'
import { completenessOf } from '../shared/completeness.ts'
import { nobody } from '../shared/coalitions.ts'
import { coalitionsNeeded, kernelCoalitions, samplesField, shapleyValues } from '../shared/kernel-shap.ts'
import { askedOf } from './shared/asked.ts'
import { perturbed } from './shared/perturbed.ts'
import {
  areasOf,
  mostSuperpixels,
  painted,
  superpixelFields,
  superpixelGame,
  superpixelsOf,
} from './shared/superpixels.ts'

const params = z.strictObject({ samples: samplesField, ...superpixelFields })
type Params = z.infer<typeof params>

export const kernelShap = imageMethod<Params>({
  id: 'kernel-shap',
  version: 1,
  modality: 'image',
  family: 'perturbation',
  title: 'KernelSHAP',
  summary:
    'What each superpixel adds to the score, averaged over all orders in which they can be shown. The map adds up to the score less that of the hidden picture.',
  meaning:
    'The Shapley value of a superpixel is what it adds to the score of the class, averaged over all orders in which the superpixels can be uncovered one by one; it is estimated by a regression over random sets of them, each with its complement, and exactly where the samples suffice for all sets. A pixel has its superpixel\u2019s value divided by its area, so the map adds up to F(picture) - F(all filled), and that sum is on the run.',
  misleads:
    'Most of the sets hide half of the picture, where the model sees nothing it was trained on; what the values mean depends on the fill as much as on the picture. They add up however few samples there are, so completeness says nothing of their error: compare two seeds. Where superpixels are cut through an object, its value is shared among them, and no finer detail exists.',
  paper: {
    title: 'A Unified Approach to Interpreting Model Predictions',
    authors: 'Lundberg, Lee',
    year: 2017,
    url: 'https://arxiv.org/abs/1705.07874',
  },
  needs: [],
  params,
  output: { kind: 'map', signed: true, complete: true },
  cost: ({ samples, segments }, { pixels }) => coalitionsNeeded(mostSuperpixels(segments, pixels), samples) + 2,
  async run(context, chosen) {
    const asked = await askedOf(context)
    const segmentation = superpixelsOf(context, chosen)
    const game = superpixelGame(asked, segmentation, chosen)
    const { players } = game
    const drawn = kernelCoalitions(context.seed, players, chosen.samples)
    const coalitions = [nobody(players), ...drawn.coalitions]
    const [empty = NaN, ...worths] = await game.worths(coalitions, context.progress)
    const values = shapleyValues(drawn, worths, empty, asked.scalar)
    const areas = areasOf(segmentation)
    const map = painted(
      segmentation,
      values.map((value, superpixel) => value / (areas[superpixel] as number)),
    )
    const sum = map.data.reduce((total, one) => total + one, 0)
    const completeness = completenessOf(sum, { input: asked.scalar, baseline: empty }, coalitions.length)
    return perturbed(asked, map, { completeness })
  },
})
