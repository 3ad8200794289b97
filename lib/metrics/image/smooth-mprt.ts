import { z } from 'zod'
import { noisyRows } from '../../methods/shared/noise-rows.ts'
import { float32, type FloatTensor } from '../../tensor/tensor.ts'
import { imageMetric, type JudgedImage } from '../metric.ts'
import { followed } from '../shared/explained.ts'
import { LOOK_AT_MPRT_PAPER, randomisationParams, similarityByDepth } from '../shared/parameter-randomisation.ts'

const params = randomisationParams.extend({
  samples: z.int().min(1).max(300).default(10).meta({
    title: 'Samples',
    description: 'How many noisy pictures are explained for each mean, at each step.',
  }),
  noise: z.number().min(0).max(1).default(0.1).meta({
    title: 'Noise',
    description: 'Standard deviation of the noise, as a share of the range of the picture’s values.',
  }),
})
type Params = z.infer<typeof params>

/** The mean of the explanations of noisy pictures: the same pictures for every model. */
async function smoothed(
  context: JudgedImage,
  { samples, noise }: Params,
  again: JudgedImage['again'],
): Promise<Float64Array> {
  const { picture, input, seed } = context
  const range = picture.data.reduce((most, one) => Math.max(most, one), -Infinity) - picture.data.reduce((least, one) => Math.min(least, one), Infinity) // prettier-ignore
  const { perRow } = noisyRows(input, picture, samples, { deviation: noise * range, seed, purpose: 'noise' })
  const mean = new Float64Array(context.attribution.data.length)
  for (let sample = 0; sample < samples; sample += 1) {
    const drawn = perRow({ first: sample, count: 1 })['noise'] as FloatTensor
    const noisy = float32(
      picture.data.map((value, at) => value + (drawn.data[at] ?? 0)),
      picture.dims,
    )
    const { data } = await again({ ...context, picture: noisy, feeds: { [input]: noisy } })
    for (let at = 0; at < mean.length; at += 1) mean[at] = (mean[at] ?? 0) + (data[at] ?? NaN) / samples
  }
  return mean
}

export const smoothMprt = imageMetric<Params>({
  id: 'smooth-mprt',
  version: 1,
  modality: 'image',
  family: 'sanity',
  engine: 'onnx',
  title: 'Smooth parameter randomisation',
  summary: 'Parameter randomisation with the noise of the maps averaged out first.',
  meaning:
    'As parameter randomisation, but of means: before and behind each step, the maps of several noisy copies of the picture are averaged, the same copies for every model. The curve has Spearman’s rank correlation of the means’ absolute values for each share of the layers; the number is its mean. What is left of a difference is not the noise of a single map, which parameter randomisation takes for a change.',
  misleads:
    'The mean over noisy pictures is another explanation than the one of the run, as SmoothGrad’s is: the number judges the method with smoothing. What random weights pass on of the picture’s structure stays: compare with the edges control and between methods, not with 0. The amount of noise decides how much is smoothed away.',
  paper: LOOK_AT_MPRT_PAPER,
  needs: [],
  needsAnnotation: false,
  params,
  better: 'lower',
  cost: ({ steps, samples }, { again }) => 1 + (steps + 1) * (samples * again + 2),
  async run(context, asked) {
    const { target } = await followed(context, false)
    const of = { ...context, target }
    const own = await smoothed(of, asked, context.again)
    const at = (share: number) => context.randomised(share, (again) => smoothed(of, asked, again))
    return similarityByDepth(own, asked, at, context.progress)
  },
})
