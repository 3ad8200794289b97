/**
 * Expected gradients: integrated gradients averaged over a distribution of baselines, a random baseline and a random point of its
 * path for each sample.
 *
 * Erion et al. 2019, https://arxiv.org/abs/1906.10670, equation 3: E over b ~ D and α ~ U(0, 1) of (x - b) dF/dx (b + α (x - b)),
 * summed over the colours of a pixel. The paper draws baselines from the training data, which a run does not have: D is named
 * by a parameter.
 */
import { z } from 'zod'
import { imageMethod } from '../method.ts'
import { alongSampledPaths, distributionField, samplesField } from './shared/sampled-paths.ts'

const params = z.strictObject({ baselines: distributionField, samples: samplesField })

export const expectedGradients = imageMethod<z.infer<typeof params>>({
  id: 'expected-gradients',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'Expected gradients',
  summary:
    'Integrated gradients averaged over many baselines, so that no single one decides what cannot be seen. Random points; adds up the better, the more there are.',
  meaning:
    'What each pixel adds to the score, compared with a whole distribution of baselines: the average of integrated gradients over random baselines, from one random point of each path. With enough samples the map adds up to the score less the mean score of the baselines; how far it is from that is on the run. A pixel scores where it differs from what usually stands there, whatever its colour.',
  misleads:
    'The distribution is part of the question: the paper draws from the training data, here it is random colours, pixels or simple pictures, which no network was trained on. With few samples the map is speckled and the sum is off by a good share (the run says how much): double the samples and see whether what you read stays. Averages over baselines hide that one of them may say the opposite.',
  paper: {
    title: 'Improving performance of deep learning models with axiomatic attribution priors and expected gradients',
    authors: 'Erion, Janizek, Sturmfels, Lundberg, Lee',
    year: 2019,
    url: 'https://arxiv.org/abs/1906.10670',
  },
  needs: [{ place: 'input', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: ({ samples }) => 6 * samples + 1,
  run: (context, chosen) => alongSampledPaths(context, { ...chosen, noise: 0 }),
})
