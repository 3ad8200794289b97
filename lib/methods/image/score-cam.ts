/**
 * Score-CAM: the channels of a layer, each weighted by the score of the picture seen through it.
 *
 * Wang et al. 2020, https://arxiv.org/abs/1910.01279, equations 5 to 8 and algorithm 1: M_k = s(up(A^k)), s to 0..1 by its own
 * extremes; C_k = S_c(x * M_k) - S_c(x_b); weights softmax_k C_k, so that S_c(x_b) cancels, or C_k itself (equation 8); map =
 * sum_k w_k A^k. What a mask hides is x_b: zeros in the model's own numbers, as in the paper, or another baseline. The last ReLU
 * is a matter of display.
 */
import { z } from 'zod'
import { given, resize, type Formula } from '../../engine/formula.ts'
import { softmax } from '../../target/links.ts'
import { scalarOf } from '../../target/scalar.ts'
import { zeros } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { rowsWithin } from '../shared/batches.ts'
import { logitsOf } from '../shared/logits.ts'
import { everyScalar } from '../shared/made-rows.ts'
import { channelPasses, channelRows, readLayer, weightedChannels } from './shared/channels.ts'
import { diagnoseMap } from './shared/diagnose.ts'
import { layerParams } from './shared/layer.ts'
import { baselineOf, behindMasks, byItsExtremes } from './shared/masked-picture.ts'
import { cornersFor, resampled } from './shared/resampling.ts'

const params = layerParams.extend({
  weights: z.enum(['softmax', 'increase']).default('softmax').meta({
    title: 'Weights',
    description:
      'The softmax of the scores over the channels, as in the paper’s algorithm, or what each channel adds to the baseline’s score (its equation 8), which may be negative.',
  }),
  baseline: z.enum(['zero', 'black', 'blurred']).default('zero').meta({
    title: 'Baseline',
    description:
      'What is seen where a channel hides the picture: zeros in the model’s own numbers (mostly a mean grey), black, or the picture blurred.',
  }),
  dialect: z.enum(['paper', 'pytorch-grad-cam']).default('paper').meta({
    title: 'Dialect',
    description:
      'How channels are enlarged: by the middles of cells, as everything here, or by their corners, as pytorch-grad-cam does.',
  }),
})
type Params = z.infer<typeof params>

const MEMORY = { bytes: 512 * 1024 * 1024, mostRows: 16, gradient: false }
export const scoreCam = imageMethod<Params>({
  id: 'score-cam',
  version: 1,
  modality: 'image',
  family: 'CAM',
  title: 'Score-CAM',
  summary: 'The maps of a layer, each weighted by the score of the picture seen through it. No gradient, many passes.',
  meaning:
    'A map of the layer, one number a cell. Each channel is enlarged, brought to 0..1 and laid over the picture as a mask; the class’s score of what is left says how much that channel is worth, and the channels are added with the softmax of these scores (or with what they add to the baseline’s score). Nothing is differentiated, so saturated units and models without gradients are no obstacle. With the softmax all weights are positive: the map is negative only where the layer itself is.',
  misleads:
    'A masked picture is one the model never saw, and its score tells of the mask’s edges and the grey behind it too: another baseline gives another map. Scores differ by several units between channels, so the softmax often gives nearly all weight to one or two of them; where scores hardly differ it gives all the same weight, and the map is the mean activation whatever the class. A channel that lowers the score cannot count against the class unless the weights are increases.',
  paper: {
    title: 'Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks',
    authors: 'Wang, Wang, Du, Yang, Zhang, Ding, Mardziel, Hu',
    year: 2020,
    url: 'https://arxiv.org/abs/1910.01279',
  },
  needs: [{ place: 'spatial-tap' }],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: ({ weights }, facts) => channelPasses(facts, weights === 'increase' ? 2 : 1),
  async run(context, { weights, baseline, dialect }) {
    const { model, picture, input, head } = context
    const { tap, map, logits, target } = await readLayer(context)
    const [, channels = 0, h = 0, w = 0] = map.dims
    const [, , height = 0, width = 0] = picture.dims
    const channel = given('channel')
    const byCorners = dialect === 'pytorch-grad-cam'
    const enlarged: Formula = byCorners ? resampled(channel) : resize(channel, [height, width])
    const filling = baselineOf(context, baseline)
    const rows = behindMasks(context, {
      total: channels,
      mask: byItsExtremes(enlarged),
      ...(byCorners ? { shared: cornersFor([h, w], [height, width]) } : {}),
      ...(filling === null ? {} : { filling }),
      perRow: (batch) => ({ channel: channelRows(map, batch) }),
    })
    const scores = await everyScalar({ ...context, target }, rows, rowsWithin(model, MEMORY))
    const hidden = filling ?? zeros(picture.dims)
    const below =
      weights === 'softmax'
        ? 0
        : scalarOf(target, (await logitsOf({ ...context, feeds: { [input]: hidden } })).data, head.link)
    const found = weightedChannels(map, weights === 'softmax' ? softmax(scores) : scores.map((one) => one - below))
    const diagnoses = diagnoseMap(found, logits, target, null, head.link)
    return { kind: 'image', map: found, layer: tap.id, logits, diagnoses }
  },
})
