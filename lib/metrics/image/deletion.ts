import { imageMetric } from '../metric.ts'
import { RISE_PAPER, causalCurve, causalParams, type CausalParams } from './shared/causal-curve.ts'

export const deletion = imageMetric<CausalParams>({
  id: 'deletion',
  version: 1,
  modality: 'image',
  family: 'faithfulness',
  title: 'Deletion',
  summary:
    'How fast the probability falls when the pixels that count most are taken away first: the area under that curve.',
  meaning:
    'Pixels are replaced by zeros in the model’s own numbers (for most models a mid grey), those with the largest values first, and the probability of the explained class is followed until no pixel is left. The number is the area under that curve, between 0 and 1. If the map is right about what the model uses, the probability falls at once and the area is small. Only the order of the values counts, not their size.',
  misleads:
    'Pictures with holes are unlike anything the model was trained on, and a fall may come from the holes rather than from what was under them: scattered pixels break a picture sooner than a block of the same size, so fine-grained maps, and even edge detectors, look good here. The area also depends on the number of steps, on what fills the holes, and on how sure the model was: compare it only between maps of one picture, and always beside the controls.',
  paper: RISE_PAPER,
  needs: [],
  needsAnnotation: false,
  params: causalParams,
  better: 'lower',
  // Each step, where it starts, and the picture itself.
  cost: ({ steps }) => steps + 2,
  run: (context, params) => causalCurve(context, params, 'delete'),
})
