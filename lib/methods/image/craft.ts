/**
 * CRAFT: concepts that a layer is made of, how much the score depends on each, and where they are.
 *
 * Fel et al. 2023, https://arxiv.org/abs/2211.10154: activations of crops, averaged over places, as sums of few non-negative
 * concepts (section 3.1); the importance of a concept as its total Sobol index, its amount shrunk by random factors (section 3.3);
 * its map as its amount at each place of the layer. The paper draws its crops from many pictures of a class and takes concepts
 * apart again in earlier layers; here they are the crops of this picture, once.
 *
 * Letters: N crops, C channels of the layer, h x w its extent, R concepts.
 */
import { z } from 'zod'
import { float32 } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { rowsWithin } from '../shared/batches.ts'
import { nonNegativeParts } from '../shared/factorisation.ts'
import { everyScalar } from '../shared/made-rows.ts'
import { repeated } from '../shared/reading.ts'
import { sobolDesign } from '../shared/sobol.ts'
import { readLayer } from './shared/channels.ts'
import { conceptsFound, cropActivations, MEMORY, rebuiltOf } from './shared/concepts.ts'
import { diagnoseMap } from './shared/diagnose.ts'
import { layerParams } from './shared/layer.ts'
import { cropsOf } from './shared/resampling.ts'

const params = layerParams.extend({
  concepts: z.int().min(1).max(50).default(10).meta({ title: 'Concepts', description: 'How many to find.' }),
  concept: z.int().min(1).max(50).nullable().default(null).meta({
    title: 'Concept',
    description:
      'Which one to draw, by importance: 1 is the most important; empty: all, each as strong as it is important.',
  }),
  crops: z
    .int()
    .min(2)
    .max(20)
    .default(6)
    .meta({ title: 'Crops', description: 'Windows along each side of the picture.' }),
  share: z.number().min(0.1).max(1).default(0.4).meta({
    title: 'Window',
    description: 'The share of the picture’s sides that a window has.',
  }),
  samples: z.int().min(4).max(1000).default(32).meta({
    title: 'Samples',
    description: 'Pairs of random points for the importance: more are surer.',
  }),
})

export const craft = imageMethod<z.infer<typeof params>>({
  id: 'craft',
  version: 1,
  modality: 'image',
  family: 'concepts',
  title: 'CRAFT',
  summary:
    'Which recurring patterns a layer is made of in this picture, how much the score depends on each, and where they are.',
  meaning:
    'The layer’s activations of many windows of the picture are taken apart into a few patterns, the concepts, that only ever add up. A concept’s importance is the share of the score’s variation that it takes part in when the amounts of all are shrunk at random; its map is how much of it is found at each place of the layer. By default the maps are drawn together, each brought to a largest value of 1 and weighted by its importance; one of them may be asked for alone.',
  misleads:
    'Concepts have no names and are not unique: another number of them, another window or seed takes the layer apart otherwise, and what a person reads into a map is a guess. Importance has no sign: a concept that lowers the score is as important as one that raises it. It is measured on the layer as rebuilt from the concepts, so what they miss does not count. Found in one picture, they describe this picture; the paper’s concepts are those of a whole class.',
  paper: {
    title: 'CRAFT: Concept Recursive Activation FacTorization for Explainability',
    authors: 'Fel, Picard, Béthune, Boissin, Vigouroux, Colin, Cadène, Serre',
    year: 2023,
    url: 'https://arxiv.org/abs/2211.10154',
  },
  needs: [{ place: 'spatial-tap' }],
  params,
  output: { kind: 'map', signed: false, complete: false },
  cost: ({ crops, samples, concepts }) => 1 + crops * crops + samples * (concepts + 1),
  async run(context, { concepts, concept, crops: side, share, samples }) {
    const { model, feeds, input, picture, seed, head } = context
    const { tap, map, logits, target } = await readLayer(context)
    const [, , height = 0, width = 0] = map.dims
    const [, , rows = 0, columns = 0] = picture.dims
    const activations = await cropActivations(context, tap.id, cropsOf([rows, columns], side, share))
    const { parts } = nonNegativeParts(activations, concepts, seed)
    const layer = rebuiltOf(map, parts)
    const { points, totalIndices } = sobolDesign(samples, concepts, seed)
    const progress = (done: number): void => context.progress((1 + done) / 2)
    const scores = await everyScalar(
      { ...context, target, progress },
      {
        place: tap.id,
        ...layer.rows(points),
        ...(tap.id === input ? {} : { feeds: (count: number) => repeated(feeds, count) }),
      },
      rowsWithin(model, { ...MEMORY, from: tap.id }),
    )
    const importance = totalIndices(scores)
    const of = (r: number): number => importance[r] ?? Number.NaN
    const order = Array.from(importance.keys()).sort((a, b) => of(b) - of(a) || a - b)
    const drawn = concept === null ? order : order.slice(concept - 1, concept)
    const weights = parts.map((_, r) => (drawn.includes(r) ? (concept === null ? of(r) : 1) : 0))
    const found = float32(layer.drawn(weights), [height, width])
    const negative = map.data.some((one) => one < 0)
    const diagnoses = [
      ...(layer.empty ? [] : [conceptsFound(order.map(of), layer.kept, negative)]),
      ...diagnoseMap(found, logits, target, null, head.link),
    ]
    return { kind: 'image', map: found, layer: tap.id, logits, diagnoses }
  },
})
