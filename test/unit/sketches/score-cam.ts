/** Score-CAM (Wang et al. 2020, 1910.01279, equations 5 to 8): channels weighed by the score of the picture behind each. */
import { throwIfCancelled } from '../../../lib/errors.ts'
import { given, resize } from '../../../lib/engine/formula.ts'
import { channelsOf } from '../../../lib/methods/description.ts'
import { channelRows, weightedChannels } from '../../../lib/methods/image/shared/channels.ts'
import { diagnoseMap } from '../../../lib/methods/image/shared/diagnose.ts'
import { layerParams, type LayerParams } from '../../../lib/methods/image/shared/layer.ts'
import { behindMasks, byItsExtremes } from '../../../lib/methods/image/shared/masked-picture.ts'
import { imageMethod } from '../../../lib/methods/method.ts'
import { answered } from '../../../lib/methods/shared/batches.ts'
import { everyScalar } from '../../../lib/methods/shared/made-rows.ts'
import { tapIn } from '../../../lib/methods/shared/reading.ts'
import { settled } from '../../../lib/target/scalar.ts'
import { softmax } from '../../../lib/target/links.ts'
import { row } from '../../../lib/tensor/tensor.ts'

const PER_QUESTION = 16
/** Where the graph leaves the number of channels open. */
const MANY = 2048

export const scoreCam = imageMethod<LayerParams>({
  id: 'score-cam',
  version: 1,
  modality: 'image',
  family: 'CAM',
  title: 'Score-CAM',
  summary: 'The maps of a layer, each weighed by the score of the picture seen through it.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [{ place: 'spatial-tap' }],
  params: layerParams,
  output: { kind: 'map', signed: true, complete: false },
  cost: (_, facts) => channelsOf(facts, MANY) + 1,
  async run(context) {
    const { model, feeds, picture, head, signal } = context
    const tap = tapIn(context)
    throwIfCancelled(signal)
    const { values } = await model.ask({ feeds, read: [tap.id, head.logits] }, signal)
    throwIfCancelled(signal)
    const map = answered(values, tap.id) // [1, C, h, w]
    const logits = row(answered(values, head.logits), 0)
    const [, channels = 0] = map.dims
    const [, , height = 0, width = 0] = picture.dims
    const masks = behindMasks(context, {
      total: channels,
      mask: byItsExtremes(resize(given('channel'), [height, width])),
      perRow: (batch) => ({ channel: channelRows(map, batch) }),
    })
    const asking = { ...context, target: settled(context.target, logits.data) }
    const weights = softmax(await everyScalar(asking, masks, PER_QUESTION))
    const found = weightedChannels(map, weights)
    const diagnoses = diagnoseMap(found, logits, asking.target, null)
    return { kind: 'image', map: found, layer: tap.id, logits, diagnoses }
  },
})
