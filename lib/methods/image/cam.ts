/**
 * CAM: the channels of the last map, weighted by the linear head's own weights for the class.
 *
 * Zhou et al. 2016, https://arxiv.org/abs/1512.04150, equation 2: map = sum_k w_ck A^k, for networks that end in global
 * average pooling and one linear layer. There its mean plus the head's bias is the logit, and it is Grad-CAM times H * W.
 */
import { AppError, throwIfCancelled } from '../../errors.ts'
import { given, multiply, sum, value, type Formula } from '../../engine/formula.ts'
import type { LinearHead } from '../../engine/model.ts'
import { settled, stateScalar } from '../../target/scalar.ts'
import { float32, row, type FloatTensor } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { tapIn } from '../shared/reading.ts'
import { plane, sumOverChannels } from './shared/cam.ts'
import { diagnoseMap } from './shared/diagnose.ts'
import { layerParams, type LayerParams } from './shared/layer.ts'

/** [K, C] -> [1, C, 1, K], so that a sum over the last axis is one weight a channel. */
function byChannel({ weights }: LinearHead): FloatTensor {
  const [classes = 0, channels = 0] = weights.dims
  const turned = new Float32Array(weights.data.length)
  for (let index = 0; index < classes; index += 1)
    for (let channel = 0; channel < channels; channel += 1)
      turned[channel * classes + index] = weights.data[index * channels + channel] ?? 0
  return float32(turned, [1, channels, 1, classes])
}

export const cam = imageMethod<LayerParams>({
  id: 'cam',
  version: 1,
  modality: 'image',
  family: 'CAM',
  title: 'CAM',
  summary:
    "Which regions the class's score is made of: the last maps, weighted by the final layer's own weights. Exact, for networks that end in global average pooling.",
  meaning:
    "The class's score itself, spread over the places it was averaged from: each cell holds what it adds to the score through the linear layer, and the mean of all cells plus the bias is the score. Nothing is approximated.",
  misleads:
    'It can only be asked at the layer in front of the global average pooling, and only where the head is one linear layer. It says where the last features were found, not which pixels made them: a cell of that layer sees a large part of the picture, sometimes all of it.',
  paper: {
    title: 'Learning Deep Features for Discriminative Localization',
    authors: 'Zhou, Khosla, Lapedriza, Oliva, Torralba',
    year: 2016,
    url: 'https://arxiv.org/abs/1512.04150',
  },
  needs: [{ place: 'linear-head' }],
  params: layerParams,
  output: { kind: 'map', signed: true, complete: false },
  cost: () => 1,
  async run(context) {
    const { model, feeds, head, signal } = context
    const tap = tapIn(context)
    const linear = await model.linearHead(tap.id)
    if (linear === null) throw new AppError({ code: 'INTERNAL', message: `${tap.id} has no linear head` })
    // The logits are linear in the pooled map: the scalar's gradient at them, through the head, weighs the channels.
    const { of, perRow } = stateScalar(context.target, head)
    const cotangent = of[head.logits]
    const stated = cotangent !== undefined && 'data' in cotangent ? cotangent : null
    const atLogits = stated === null ? (cotangent as Formula) : given('cotangent')
    const weights = sum(multiply(atLogits, given('head')), [3]) // [1, C, 1, 1]
    throwIfCancelled(signal)
    const answer = await model.ask(
      {
        feeds,
        read: [head.logits],
        formulas: {
          shared: { head: byChannel(linear), ...(stated === null ? {} : { cotangent: stated }) },
          perRow,
          outputs: { map: sumOverChannels(value(tap.id), weights) },
        },
      },
      signal,
    )
    throwIfCancelled(signal)
    const [map, logits] = [answer.computed['map'], answer.values[head.logits]]
    if (map === undefined || logits === undefined)
      throw new AppError({ code: 'INTERNAL', message: 'the engine did not answer with a map' })
    context.progress(1)
    const first = row(logits, 0)
    const target = settled(context.target, first.data)
    const diagnoses = diagnoseMap(plane(row(map, 0)), first, target, null, head.link)
    return { kind: 'image', map: plane(row(map, 0)), layer: tap.id, logits: first, diagnoses }
  },
})
