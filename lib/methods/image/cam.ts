/**
 * CAM: the channels of the last map, weighted by the linear head's own weights for the class.
 *
 * Zhou et al. 2016, https://arxiv.org/abs/1512.04150, equation 2: map = sum_k w_ck A^k, for networks that end in global
 * average pooling and one linear layer. There its mean plus the head's bias is the logit, and it is Grad-CAM times H * W.
 */
import { AppError } from '../../errors.ts'
import type { ExplainableModel, LinearHead, Tap } from '../../engine/model.ts'
import { given, value } from '../../engine/formula.ts'
import { float32, row } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { mapOfLayer, sumOverChannels, tapsWithLinearHead } from './shared/cam.ts'
import { diagnoseMap } from './shared/diagnose.ts'
import { layerParams, spatialTap } from './shared/layer.ts'
import type { LayerParams } from './shared/layer.ts'

/** The layer asked for and its head; by default the default tap or, where that has no linear head, one that has. */
async function tapAndHead(model: ExplainableModel, layer: string | null): Promise<{ tap: Tap; head: LinearHead }> {
  const tap = spatialTap(model, layer)
  const head = await model.linearHead(tap.id)
  if (head !== null) return { tap, head }

  const usable = await tapsWithLinearHead(model)
  const last = usable.at(-1)
  const lastHead = layer === null && last !== undefined ? await model.linearHead(last.id) : null
  if (last !== undefined && lastHead !== null) return { tap: last, head: lastHead }
  throw new AppError({
    code: 'METHOD_UNAVAILABLE',
    message: `tap ${tap.id} is not followed by global average pooling and one linear layer`,
    userMessage:
      last === undefined
        ? 'CAM needs a network that ends in global average pooling and one linear layer, and this one does not. Use Grad-CAM, which works at any layer of any CNN.'
        : `CAM works only at the layer in front of the global average pooling: ${last.id}. Choose that one, or use Grad-CAM at "${tap.label || tap.id}".`,
    details: { layer: tap.id, layers: usable.map((one) => one.id) },
  })
}

export const cam = imageMethod<LayerParams>({
  id: 'cam',
  version: 1,
  modality: 'image',
  family: 'CAM',
  title: 'CAM',
  summary:
    "Which regions the class's score is made of: the last maps, weighted by the final layer's own weights. Exact, for networks that end in global average pooling.",
  paper: {
    title: 'Learning Deep Features for Discriminative Localization',
    authors: 'Zhou, Khosla, Lapedriza, Oliva, Torralba',
    year: 2016,
    url: 'https://arxiv.org/abs/1512.04150',
  },
  needs: ['spatial-tap', 'linear-head'],
  params: layerParams,
  output: { kind: 'map', signed: true, complete: false },
  cost: () => 1,
  async run(context, { layer }) {
    const { tap, head } = await tapAndHead(context.model, layer)
    const { index } = context.target
    const classes = head.weights.dims[0] ?? 0
    if (!Number.isInteger(index) || index < 0 || index >= classes)
      throw new AppError({
        code: 'UNKNOWN_LABEL',
        message: `class ${index} of ${classes}`,
        userMessage: `This model has ${classes} classes, numbered from 0; there is no class ${index}.`,
        details: { index, count: classes },
      })
    const { data } = row(head.weights, index)
    const weights = float32(data, [1, data.length, 1, 1])
    const formula = sumOverChannels(value(tap.id), given('weights'))
    const { map, logits } = await mapOfLayer(context, formula, { weights })
    context.progress(1)
    return { kind: 'image', map, layer: tap.id, logits, diagnoses: diagnoseMap(map, logits, index, null) }
  },
})
