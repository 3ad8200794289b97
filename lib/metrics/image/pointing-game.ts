/**
 * The pointing game (Zhang et al. 2016, 1608.00507): 1 where the largest value lies on what was marked. `torchray`: the first of
 * the largest values may miss it by 15 pixels; `quantus`: none may miss, and one of several equal ones is enough.
 */
import { z } from 'zod'
import { imageMetric, type MarkedPixels } from '../metric.ts'
import { resultOf } from '../shared/result.ts'
import { markedIn } from './shared/marked.ts'
import { pixelScores } from './shared/pixels.ts'

const params = z.strictObject({
  dialect: z.enum(['torchray', 'quantus']).default('torchray').meta({
    title: 'Dialect',
    description:
      'torchray: a miss by at most 15 pixels of what the model sees counts as a hit, as in the paper. quantus: exactly on the mark; where several pixels have the largest value, one of them is enough.',
  }),
})

const TOLERANCE = 15

/** Whether a marked pixel lies within a distance of a pixel. */
function isNear({ inside, width, height }: MarkedPixels, pixel: number, tolerance: number): boolean {
  const [y, x] = [Math.floor(pixel / width), pixel % width]
  for (let row = Math.max(0, y - tolerance); row <= Math.min(height - 1, y + tolerance); row += 1)
    for (let column = Math.max(0, x - tolerance); column <= Math.min(width - 1, x + tolerance); column += 1)
      if (inside[row * width + column] === 1 && (row - y) ** 2 + (column - x) ** 2 <= tolerance ** 2) return true
  return false
}

export const pointingGame = imageMetric<z.infer<typeof params>>({
  id: 'pointing-game',
  version: 1,
  modality: 'image',
  family: 'localisation',
  title: 'Pointing game',
  summary: 'Whether the largest value of the map lies on what a person marked.',
  meaning:
    'The map is enlarged to the pixels that the model sees; the number is 1 where its largest value lies on the marked part, or within 15 pixels of it, and 0 where not. The share of hits over many pictures is the figure of the literature.',
  misleads:
    'On one picture it is a single bit, and over many it is high for anything that points at the middle, because photographers put objects there: 88 % for the centre point on this project’s pets. A model may rightly look beside the object, at a leash or a lawn, and then a faithful map misses. It judges one pixel and ignores all others.',
  paper: {
    title: 'Top-down Neural Attention by Excitation Backprop',
    authors: 'Zhang, Lin, Brandt, Shen, Sclaroff',
    year: 2016,
    url: 'https://arxiv.org/abs/1608.00507',
  },
  needs: [],
  needsAnnotation: true,
  params,
  better: 'higher',
  cost: () => 0,
  run(context, { dialect }) {
    const marked = markedIn(context)
    const scores = pixelScores(context)
    const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity)
    const hit =
      dialect === 'torchray'
        ? isNear(marked, scores.indexOf(largest), TOLERANCE)
        : scores.some((score, pixel) => score === largest && marked.inside[pixel] === 1)
    return Promise.resolve(resultOf(hit ? 1 : 0))
  },
})
