/** LIME on superpixels (Ribeiro et al. 2016, 1602.04938): a linear model of the score on which superpixels are there. */
import { z } from 'zod'
import { imageMethod } from '../method.ts'
import { limeFields, limeSamples, limeSurrogate, misfit } from '../shared/lime.ts'
import { askedOf } from './shared/asked.ts'
import { perturbed } from './shared/perturbed.ts'
import { painted, superpixelFields, superpixelGame, superpixelsOf } from './shared/superpixels.ts'

const params = z.strictObject({ ...limeFields(1000), ...superpixelFields })
type Params = z.infer<typeof params>

export const lime = imageMethod<Params>({
  id: 'lime',
  version: 1,
  modality: 'image',
  family: 'perturbation',
  title: 'LIME',
  summary:
    'Which superpixels a linear model near this picture goes by: it is fitted to the scores of versions with some of them hidden.',
  meaning:
    'The picture is cut into superpixels, and versions with a random number of them hidden are scored; a ridge regression, in which versions near the whole picture weigh most, says how much the score rises when a superpixel is there. Every pixel has the weight of its superpixel, in the unit of the score: positive speaks for the class. How much of the scores\u2019 variation the linear model explains (R\u00b2) is checked, and said where it is under a half.',
  misleads:
    'The weights are those of the linear model, not of the network: kernel width, ridge, fill and the cut into superpixels are free choices, and each changes the map. A ridge of 1 draws all weights towards zero where samples are few. Interactions (an eye counts only beside the other) are spread over what takes part in them. Run it with another seed: weights that change sign are noise. KernelSHAP has no width to choose, and adds up.',
  paper: {
    title: '"Why Should I Trust You?": Explaining the Predictions of Any Classifier',
    authors: 'Ribeiro, Singh, Guestrin',
    year: 2016,
    url: 'https://arxiv.org/abs/1602.04938',
  },
  needs: [],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: ({ samples }) => samples + 1,
  async run(context, chosen) {
    const asked = await askedOf(context)
    const segmentation = superpixelsOf(context, chosen)
    const samples = limeSamples(context.seed, segmentation.count, chosen.samples)
    const game = superpixelGame(asked, segmentation, chosen)
    const surrogate = limeSurrogate(samples, await game.worths(samples, context.progress), chosen)
    return perturbed(asked, painted(segmentation, surrogate.coefficients), { diagnoses: misfit(surrogate) })
  },
})
