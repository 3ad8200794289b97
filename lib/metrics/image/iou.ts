/**
 * Intersection over union of what was marked and the part of the map that is at least a share t of its largest value
 * (thresholds of the largest value: Zhou et al. 2016, 1512.04150, section 3.2).
 */
import { z } from 'zod'
import { imageMetric } from '../metric.ts'
import { resultOf, undefinedResult } from '../shared/result.ts'
import { markedIn, NOTHING_POSITIVE } from './shared/marked.ts'
import { pixelScores } from './shared/pixels.ts'

const params = z.strictObject({
  at: z.enum(['best', 'fixed']).default('best').meta({
    title: 'At',
    description: 'best: the largest over the thresholds 0.01 to 1. fixed: at the threshold below.',
  }),
  threshold: z.number().min(0.01).max(1).default(0.2).meta({
    title: 'Threshold',
    description: 'For fixed: the share of the largest value from which on a pixel counts (0.2 in the CAM paper).',
  }),
})

const THRESHOLDS = Array.from({ length: 100 }, (_, at) => (at + 1) / 100)

/** @param inside 1 on what was marked, [H * W] */
function iouAt(scores: Float32Array, inside: Uint8Array, level: number): number {
  let [both, either] = [0, 0]
  scores.forEach((score, pixel) => {
    if (inside[pixel] === 2) return
    const [high, marked] = [score >= level, inside[pixel] === 1]
    if (high && marked) both += 1
    if (high || marked) either += 1
  })
  return both / either
}

export const iou = imageMetric<z.infer<typeof params>>({
  id: 'iou',
  version: 1,
  modality: 'image',
  family: 'localisation',
  title: 'Intersection over union',
  summary: 'How well the bright part of the map covers what a person marked.',
  meaning:
    'The map is enlarged to the pixels that the model sees, and those count that have at least a share of its largest value; the number is how many of them are marked, over how many are either: 1 where both are the same. The curve has it for every threshold, from 0.01 to 1 of the largest value; the number is the best of these, or that at a fixed one.',
  misleads:
    'Maps of late layers are blobs, which never cover an outline: 0.6 is good for them, and says more about the resolution than about the explanation. The best threshold is chosen with the mark in view, which no user has; the fixed one suits some methods and not others. A faithful map of a model that looks at the head alone has a small number on a mark of the whole animal.',
  paper: {
    title: 'Learning Deep Features for Discriminative Localization',
    authors: 'Zhou, Khosla, Lapedriza, Oliva, Torralba',
    year: 2016,
    url: 'https://arxiv.org/abs/1512.04150',
  },
  needs: [],
  needsAnnotation: true,
  params,
  better: 'higher',
  cost: () => 0,
  run(context, { at, threshold }) {
    const { inside } = markedIn(context)
    const scores = pixelScores(context)
    const largest = scores.reduce((most, score) => Math.max(most, score), 0)
    if (largest <= 0) return Promise.resolve(undefinedResult(NOTHING_POSITIVE))
    const value = THRESHOLDS.map((share) => iouAt(scores, inside, share * largest))
    const best = value.reduce((most, one) => Math.max(most, one), 0)
    return Promise.resolve(
      resultOf(at === 'best' ? best : iouAt(scores, inside, threshold * largest), {
        curve: { share: THRESHOLDS, value },
      }),
    )
  },
})
