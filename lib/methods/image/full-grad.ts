/**
 * FullGrad: what the picture and the biases of every layer contribute to the score, laid over each other.
 *
 * Srinivas and Fleuret 2019, https://arxiv.org/abs/1905.00780, equation 7: map = sum_c psi(x_c * dS/dx_c) + sum_l sum_k psi(b_k * dS/dA^k_l),
 * psi = up(rescale(|.|)), each channel brought to 0..1 by its own extremes. Layers are those that add a constant to a map:
 * convolutions with a bias, batch normalisations (their shift in evaluation), sums with weights. As pytorch-grad-cam; the
 * authors' code rescales a layer's channels together and enlarges by corners. An export that has folded a batch
 * normalisation into its convolution has one bias where PyTorch has two, and so one term.
 */
import { z } from 'zod'
import { abs, add, given, gradient, max, multiply, resize, sum, value, type Formula } from '../../engine/formula.ts'
import type { LayerBias } from '../../engine/model.ts'
import type { ImageContext } from '../context.ts'
import type { Diagnosis } from '../diagnosis.ts'
import { imageMethod } from '../method.ts'
import { readOnce, tapIn, type Reading } from '../shared/reading.ts'
import { LARGEST_GRADIENT, MAP, plane } from './shared/cam.ts'
import { diagnoseMap } from './shared/diagnose.ts'
import { byItsExtremes } from './shared/masked-picture.ts'

const CHANNELS = [1]

/** Its channels' psi but for the enlarging, which is linear and so may wait until they are added: [N, C, H, W] -> [N, 1, H, W]. */
const contributions = (product: Formula): Formula => sum(byItsExtremes(abs(product)), CHANNELS)

/** The biases that lie on a map and that a gradient reaches. */
async function mapBiases({ model, facts }: ImageContext): Promise<readonly LayerBias[]> {
  const maps = new Set(facts.taps.filter((tap) => tap.spatial && tap.differentiable).map(({ id }) => id))
  return ((await model.layerBiases?.()) ?? []).filter(({ tap }) => maps.has(tap))
}

function readingOf(context: ImageContext, biases: readonly LayerBias[]): Reading {
  const { id } = tapIn(context)
  const [, , height = 0, width = 0] = context.picture.dims
  const name = (at: number): string => `bias ${at}`
  const own = contributions(multiply(gradient(id), value(id)))
  const map = biases.reduce(
    (all, { tap }, at) => add(all, resize(contributions(multiply(gradient(tap), given(name(at)))), [height, width])),
    own,
  )
  return {
    target: context.target,
    outputs: { [MAP]: map, [LARGEST_GRADIENT]: max(abs(gradient(id)), [1, 2, 3]) },
    shared: Object.fromEntries(biases.map((bias, at) => [name(at), bias.value])),
    attribution: (outputs) => plane(outputs[MAP]),
  }
}

const NO_BIASES: Diagnosis = {
  code: 'NO_BIASES',
  severity: 'warning',
  message:
    'No layer of this model is known to add a bias to a map, so that FullGrad has nothing beside the picture itself: this is its gradient times the input.',
}

export const fullGrad = imageMethod({
  id: 'full-grad',
  version: 1,
  modality: 'image',
  family: 'gradient',
  title: 'FullGrad',
  summary:
    'Everything a network’s score is made of: the picture, and the biases of all its layers, laid over each other.',
  meaning:
    'A map as large as the picture, never negative. A network of ReLUs is linear around each input, and its score is exactly the sum of two kinds of parts: each pixel times its gradient, and each bias times the gradient where it is added, at every place of every layer. FullGrad draws all of them: the size of each channel’s part, brought to 0..1, enlarged to the picture, and added up. Bright is where much of the score is decided, by what is seen there or by how the layers weigh what they find there.',
  misleads:
    'The parts add up to the score, the picture does not: sizes hide the sign, so evidence against the class is as bright as evidence for it, and since each channel is scaled to 0..1 by itself a channel that hardly matters counts as much as one that decides. Layers with many channels dominate. The split between layers depends on how the network is written: a bias folded into another layer is another map for the same function. With other activations than ReLU the parts do not even add up.',
  paper: {
    title: 'Full-Gradient Representation for Neural Network Visualization',
    authors: 'Srinivas, Fleuret',
    year: 2019,
    url: 'https://arxiv.org/abs/1905.00780',
  },
  needs: [{ place: 'input', gradient: true }],
  params: z.strictObject({}),
  output: { kind: 'map', signed: false, complete: false },
  // One forward and one backward pass down to the picture, with a map a layer beside it.
  cost: () => 5,
  async run(context) {
    const biases = await mapBiases(context)
    const reading = readingOf(context, biases)
    const { outputs, logits, target } = await readOnce(context, reading)
    context.progress(1)
    const map = reading.attribution(outputs)
    const found = diagnoseMap(map, logits, target, outputs[LARGEST_GRADIENT]?.data[0] ?? null, context.head.link)
    const diagnoses = [...(biases.length === 0 ? [NO_BIASES] : []), ...found]
    return { kind: 'image', map, layer: null, logits, diagnoses }
  },
})
