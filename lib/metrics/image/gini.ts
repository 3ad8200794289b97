import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { giniOf, ZERO_EVERYWHERE } from '../shared/complexity.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { pixelScores } from './shared/pixels.ts'

export const gini = imageMetric({
  id: 'gini',
  version: 1,
  modality: 'image',
  family: 'complexity',
  title: 'Gini sparseness',
  summary: 'How unequally the explanation is spread over the pixels: the Gini index of their absolute values.',
  meaning:
    'The Gini index of the absolute values, as economists use it of incomes: 0 where each of the pixels has the same, near 1 where few have nearly all. It does not change when all values are multiplied by a number. The map is first enlarged to the pixels that the model sees, so that maps of different layers are on one scale.',
  misleads:
    'Sparse is not right: one wrong place has nearly 1. It says nothing of the model. Rectified maps have many zeros and so look sparser than signed ones of the same method; compare like with like. Smooth maps of late layers cannot be as sparse as maps of single pixels.',
  paper: {
    title: 'Concise Explanations of Neural Networks using Adversarial Training',
    authors: 'Chalasani, Chen, Chowdhury, Wu, Jha',
    year: 2020,
    url: 'https://arxiv.org/abs/1810.06583',
  },
  needs: [],
  needsAnnotation: false,
  params: z.strictObject({}),
  better: 'higher',
  cost: () => 0,
  run(context) {
    const value = giniOf(pixelScores(context))
    return Promise.resolve(value === null ? undefinedResult(ZERO_EVERYWHERE) : resultOf(value))
  },
})
