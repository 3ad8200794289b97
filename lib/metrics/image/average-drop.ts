/** max(0, p - o) / p, with p the probability of the class for the picture and o for the picture seen through the map. */
import { imageMetric } from '../metric.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { SEEN_THROUGH_MAP, seenThroughMap } from './shared/seen-through-map.ts'

export const averageDrop = imageMetric({
  ...SEEN_THROUGH_MAP,
  id: 'average-drop',
  title: 'Average drop',
  summary: 'What share of the probability is lost when only what the map shows is left of the picture.',
  meaning:
    'The picture is multiplied by the map, rectified and scaled to 0..1, so that only what speaks for the class is seen; the number is the share of the class’s probability that is lost by it, 0 where nothing is lost. Averaged over many pictures it is the figure of the CAM papers, which give it in per cent.',
  misleads:
    'It rewards large maps: one that shows nearly everything loses nearly nothing, whether or not it knows where the object is (Poppi et al. 2021 build one that wins). Read it with deletion, or with how much the map covers. A darkened picture is also no picture that the model was trained on. A gain counts as no loss: see average gain.',
  paper: {
    title: 'Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep Convolutional Networks',
    authors: 'Chattopadhyay, Sarkar, Howlader, Balasubramanian',
    year: 2018,
    url: 'https://arxiv.org/abs/1710.11063',
  },
  better: 'lower',
  async run(context) {
    const { whole, shown } = await seenThroughMap(context)
    if (whole <= 0) return undefinedResult('The probability of the class is 0, and no share of it can be lost.')
    return resultOf(Math.max(0, whole - shown) / whole)
  },
})
