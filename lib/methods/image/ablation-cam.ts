/**
 * Ablation-CAM: the channels of a layer, each weighted by the share of the score that goes when the channel is set to zero.
 *
 * Desai and Ramaswamy 2020 (WACV), equation 3: w_k = (S_c - S_c with A^k := 0) / S_c, map = sum_k w_k A^k; the last ReLU is a matter
 * of display. A share of a score that is not positive is none: the paper's division by S_c < 0 would turn the map upside down.
 * The drop is divided by |S_c| here, by nothing where S_c is 0, and a diagnosis says so. pytorch-grad-cam sets channels of a
 * layer with negative values to their least less 1e7 instead of zero, and divides by S_c whatever its sign.
 */
import { scalarOf } from '../../target/scalar.ts'
import type { Diagnosis } from '../diagnosis.ts'
import { imageMethod } from '../method.ts'
import { rowsWithin } from '../shared/batches.ts'
import { everyScalar } from '../shared/made-rows.ts'
import { repeated } from '../shared/reading.ts'
import { channelPasses, readLayer, weightedChannels, withoutEachChannel } from './shared/channels.ts'
import { diagnoseMap } from './shared/diagnose.ts'
import { layerParams, type LayerParams } from './shared/layer.ts'

const MEMORY = { bytes: 512 * 1024 * 1024, mostRows: 32, gradient: false }

function notPositive(score: number): readonly Diagnosis[] {
  if (score > 0) return []
  return [
    {
      code: 'NON_POSITIVE_SCORE',
      severity: 'info',
      message: `The explained score is ${score.toFixed(2)}, not above zero, and Ablation-CAM takes shares of it. Drops were divided by its size instead, so that positive still means for the class; their scale tells nothing.`,
    },
  ]
}

export const ablationCam = imageMethod<LayerParams>({
  id: 'ablation-cam',
  version: 1,
  modality: 'image',
  family: 'CAM',
  title: 'Ablation-CAM',
  summary: 'The maps of a layer, each weighted by how much of the score goes with it. No gradient, many short passes.',
  meaning:
    'A map of the layer, one number a cell. Each channel in turn is set to zero everywhere and the rest of the network is run again: the share of the class’s score that is lost is the channel’s weight. It measures a real change instead of a slope, so saturated units count as much as they should, and a channel whose absence raises the score counts against the class. Only what lies behind the layer is computed again.',
  misleads:
    'Channels are taken away one at a time, so two that carry the same evidence both look worthless, and what several do only together is not seen. Zero is an ordinary value behind a ReLU, but not elsewhere: at a layer that may be negative an absent channel is itself a signal. Within a channel all places share its one weight, as in Grad-CAM. Where the score is near zero the shares are huge, and where it is negative they are no shares.',
  paper: {
    title: 'Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free Localization',
    authors: 'Desai, Ramaswamy',
    year: 2020,
    url: 'https://doi.org/10.1109/WACV45572.2020.9093360',
  },
  needs: [{ place: 'spatial-tap' }],
  params: layerParams,
  output: { kind: 'map', signed: true, complete: false },
  cost: (_, facts) => channelPasses(facts, 1),
  async run(context) {
    const { model, feeds, input, head } = context
    const { tap, map, logits, target } = await readLayer(context)
    const rows = {
      ...withoutEachChannel(tap.id, map),
      // A way round the layer may begin at the picture.
      ...(tap.id === input ? {} : { feeds: (count: number) => repeated(feeds, count) }),
    }
    const perQuestion = rowsWithin(model, { ...MEMORY, from: tap.id })
    const scores = await everyScalar({ ...context, target }, rows, perQuestion)
    const score = scalarOf(target, logits.data, head.link)
    const size = Math.abs(score) || 1
    const found = weightedChannels(map, scores.map((without) => (score - without) / size)) // prettier-ignore
    const diagnoses = [...notPositive(score), ...diagnoseMap(found, logits, target, null, head.link)]
    return { kind: 'image', map: found, layer: tap.id, logits, diagnoses }
  },
})
