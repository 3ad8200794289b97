/** Energy-based pointing game (Wang et al. 2020, 1910.01279, section 4.2): the share of the positive values on what was marked. */
import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { markedIn, NOTHING_POSITIVE } from './shared/marked.ts'
import { pixelScores } from './shared/pixels.ts'

export const energyInside = imageMetric({
  id: 'energy-inside',
  version: 1,
  modality: 'image',
  family: 'localisation',
  title: 'Energy inside',
  summary: 'What share of the map’s positive values lies on what a person marked.',
  meaning:
    'The map is enlarged to the pixels that the model sees and rectified; the number is the sum of its values on the marked part over the sum of all: 1 where nothing lies beside it. A map that knows nothing has the share that the marked part has of the picture, which is what the uniform control says.',
  misleads:
    'It asks whether the map is where a person looks, not whether it is right: a model that uses the background has a faithful map with a small number. Large marks give large numbers: compare with the uniform control, not with 1. A single bright pixel on the object has 1.',
  paper: {
    title: 'Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks',
    authors: 'Wang, Wang, Du, Yang, Zhang, Ding, Mardziel, Hu',
    year: 2020,
    url: 'https://arxiv.org/abs/1910.01279',
  },
  needs: [],
  needsAnnotation: true,
  params: z.strictObject({}),
  better: 'higher',
  cost: () => 0,
  run(context) {
    const { inside } = markedIn(context)
    let [within, total] = [0, 0]
    pixelScores(context).forEach((score, pixel) => {
      if (inside[pixel] === 2) return
      const value = Math.max(0, score)
      total += value
      if (inside[pixel] === 1) within += value
    })
    return Promise.resolve(total > 0 ? resultOf(within / total) : undefinedResult(NOTHING_POSITIVE))
  },
})
