import { imageMetric } from '../metric.ts'
import { RISE_PAPER, causalCurve, causalParams, type CausalParams } from './shared/causal-curve.ts'

export const insertion = imageMetric<CausalParams>({
  id: 'insertion',
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  title: 'Insertion',
  summary: 'How fast the probability rises when the pixels that count most come back first: the area under that curve.',
  meaning:
    'The picture begins blurred (kernel 11, standard deviation 5) or, in the dialect xplique, empty; its pixels come back, those with the largest values first, and the probability of the explained class is followed. The number is the area under that curve, between 0 and 1. If the map is right about what suffices for the class, the probability rises at once and the area is large.',
  misleads:
    'A blurred picture often keeps most of its class, and then the curve starts high for every map and tells them apart badly: look at its first point. Compact maps that uncover one whole object do better than scattered ones that may be just as right. Like deletion it judges the order of the values alone, and pictures that the model was never trained on: compare only maps of one picture, beside the controls.',
  paper: RISE_PAPER,
  needs: [],
  needsAnnotation: false,
  params: causalParams,
  better: 'higher',
  cost: ({ steps }) => steps + 2,
  run: (context, params) => causalCurve(context, params, 'insert'),
})
