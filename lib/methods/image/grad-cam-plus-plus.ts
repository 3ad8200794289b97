/**
 * Grad-CAM++: the channels of a layer, weighted by positive gradients, each place with a weight of its own, so that
 * several objects of one class all count.
 *
 * Chattopadhyay et al. 2018, https://arxiv.org/abs/1710.11063, equation 19 with the exponential as last activation:
 * alpha = g^2 / (2 g^2 + (sum_ab A_ab) g^3), 0 where g = 0; w_k = sum_ij alpha ReLU(g); map = sum_k w_k A^k. The common factor
 * exp(S_c) is left out, which scales the map and changes nothing else; the last ReLU is a matter of display.
 *
 * Peers compute something else under the same name; each is a dialect, to the letter of its code.
 */
import { z } from 'zod'
import { add, divide, equal, multiply, relu, square, where, type Formula } from '../../engine/formula.ts'
import { channelMeans, channelSums, MAP, readingCam, sumOverChannels } from './shared/cam.ts'
import { layerParams } from './shared/layer.ts'

/** Of A and g, both [N, C, H, W], to a weight a channel, [N, C, 1, 1]. What is divided by 0 is 0. */
type Weights = (activation: Formula, gradient: Formula) => Formula

const cube = (of: Formula): Formula => multiply(square(of), of)
const twice = (of: Formula): Formula => multiply(2, of)

const DIALECTS = {
  /** alpha ReLU(g) = ReLU(g) g^2 / (2 g^2 + (sum A) g^3), which is ReLU(g) / (2 + (sum A) g). */
  paper: (activation, gradient) =>
    channelSums(divide(relu(gradient), add(2, multiply(channelSums(activation), gradient)))),
  /** 1e-6 in the denominator, beside squares of gradients: where |g| is below 1e-3, that decides. */
  'pytorch-grad-cam': (activation, gradient) => {
    const below = add(add(twice(square(gradient)), multiply(channelSums(activation), cube(gradient))), 1e-6)
    return channelSums(multiply(relu(gradient), divide(square(gradient), below)))
  },
  /** Its division is of a copy that is thrown away, so that alpha stays g^2: w_k = sum_ij ReLU(g)^3. */
  'torch-cam': (_, gradient) => channelSums(cube(relu(gradient))),
  /** Means in place of both sums, and 1e-4 where the denominator is 0. */
  xplique: (activation, gradient) => {
    const below = add(twice(square(gradient)), multiply(channelMeans(activation), cube(gradient)))
    return channelMeans(multiply(relu(gradient), divide(square(gradient), where(equal(below, 0), 1e-4, below))))
  },
} satisfies Record<string, Weights>

const dialects = Object.keys(DIALECTS) as (keyof typeof DIALECTS)[]
const params = layerParams.extend({
  dialect: z.enum(dialects).default('paper').meta({
    title: 'Dialect',
    description:
      'Whose formula: the paper’s (equation 19), or what a library computes under this name, to compare with its maps. pytorch-grad-cam adds 1e-6 to the denominator, torch-cam weighs by the cube of positive gradients, Xplique takes means for sums.',
  }),
})

export const gradCamPlusPlus = readingCam<z.infer<typeof params>>(
  {
    id: 'grad-cam-plus-plus',
    version: 1,
    title: 'Grad-CAM++',
    summary:
      'As Grad-CAM, with a weight for each place instead of one mean, so that several objects of one class all show.',
    meaning:
      "As Grad-CAM, but a channel's weight is made of its positive slopes alone, each place weighed by a coefficient that equalises strong and weak responses, so that several objects of one class all show. A cell is score per cell up to one factor for the whole map; compare cells of one map, not maps of two runs.",
    misleads:
      "Counting positive slopes only, it tells classes apart less sharply than Grad-CAM: the map of another class often looks the same. The coefficients rest on the exponential as last activation and can be large where 2 + g times the channel's sum is near zero. Libraries compute four different formulas under this name.",
    paper: {
      title: 'Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks',
      authors: 'Chattopadhyay, Sarkar, Howlader, Balasubramanian',
      year: 2018,
      url: 'https://arxiv.org/abs/1710.11063',
    },
    params,
    gradient: true,
  },
  {
    outputs: (activation, gradient, { dialect }) => ({
      [MAP]: sumOverChannels(activation, DIALECTS[dialect](activation, gradient)),
    }),
  },
)
