/** max(0, o - p) / (1 - p), with p the probability of the class for the picture and o for the picture seen through the map. */
import { imageMetric } from '../metric.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { SEEN_THROUGH_MAP, seenThroughMap } from './shared/seen-through-map.ts'

export const averageGain = imageMetric({
  ...SEEN_THROUGH_MAP,
  id: 'average-gain',
  title: 'Average gain',
  summary: 'How much of the doubt goes when only what the map shows is left of the picture.',
  meaning:
    'The picture is multiplied by the map, rectified and scaled to 0..1; the number is the share of what the class’s probability lacks to 1 that is gained by it, 0 where nothing is gained. It is the counterpart of average drop, with which Opti-CAM pairs it in place of the increase in confidence.',
  misleads:
    'Where the model is almost sure, what is lacking is tiny and a change of no weight is a large share of it. A map that hides what speaks for other classes gains much, even if it misses most of what the model used. It is 0 for most maps on most pictures: read it over many, beside average drop.',
  paper: {
    title: 'Opti-CAM: Optimizing saliency maps for interpretability',
    authors: 'Zhang, Torres, Sicre, Avrithis, Ayache',
    year: 2023,
    url: 'https://arxiv.org/abs/2301.07002',
  },
  better: 'higher',
  async run(context) {
    const { whole, shown } = await seenThroughMap(context)
    if (whole >= 1) return undefinedResult('The probability of the class is 1 already, and nothing can be gained.')
    return resultOf(Math.max(0, shown - whole) / (1 - whole))
  },
})
