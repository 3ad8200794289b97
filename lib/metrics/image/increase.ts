/** 1 where the class is more probable for the picture seen through the map than for the picture, else 0. */
import { imageMetric } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { SEEN_THROUGH_MAP, seenThroughMap } from './shared/seen-through-map.ts'

export const increase = imageMetric({
  ...SEEN_THROUGH_MAP,
  id: 'increase',
  title: 'Increase in confidence',
  summary: 'Whether the class is more probable when only what the map shows is left of the picture.',
  meaning:
    'The picture is multiplied by the map, rectified and scaled to 0..1; the number is 1 where the class becomes more probable by it and 0 where not. The share of ones over many pictures is the figure of the CAM papers.',
  misleads:
    'On one picture it is a single bit, and a rise by a hair counts as much as one from doubt to certainty; it means something over many pictures alone. Where the model is sure already it can hardly be 1, whatever the map. Large maps are rewarded, as by average drop.',
  paper: {
    title: 'Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep Convolutional Networks',
    authors: 'Chattopadhyay, Sarkar, Howlader, Balasubramanian',
    year: 2018,
    url: 'https://arxiv.org/abs/1710.11063',
  },
  better: 'higher',
  async run(context) {
    const { whole, shown } = await seenThroughMap(context)
    return resultOf(shown > whole ? 1 : 0)
  },
})
