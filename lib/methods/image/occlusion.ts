/** Occlusion (Zeiler and Fergus 2014, 1311.2901, section 4.2): how far the score falls where a window hides the picture. */
import { z } from 'zod'
import { given } from '../../engine/formula.ts'
import { float32 } from '../../tensor/tensor.ts'
import type { CostFacts } from '../description.ts'
import { imageMethod } from '../method.ts'
import { scalarsOfRows } from '../shared/made-rows.ts'
import { askedOf, forwardRows } from './shared/asked.ts'
import { fillField, filling } from './shared/filling.ts'
import { behindMasks } from './shared/masked-picture.ts'
import { perturbed } from './shared/perturbed.ts'
import { windowsOver, windowSides } from './shared/windows.ts'

const pixels = z.union([z.literal('auto'), z.int().min(1).max(1024)]).default('auto')
const params = z.strictObject({
  window: pixels.meta({
    title: 'Window',
    description:
      'Side of the square that is hidden, in pixels of the model\u2019s input. auto: a seventh of the shorter side.',
  }),
  stride: pixels.meta({ title: 'Stride', description: 'How far the square moves each time. auto: half the window.' }),
  fill: fillField,
})
type Params = z.infer<typeof params>

export const occlusion = imageMethod<Params>({
  id: 'occlusion',
  version: 1,
  modality: 'image',
  family: 'perturbation',
  title: 'Occlusion',
  summary:
    'How far the score of the class falls when a square of the picture is hidden. Needs no gradient, so it checks the methods that do.',
  meaning:
    'A square is moved over the picture and hidden each time; a pixel has the mean, over the squares that hide it, of how far the score falls. Positive: what was there speaks for the class; negative: the model is surer without it. The unit is that of the score, and every number is measured, not estimated from a slope.',
  misleads:
    'A map depends on the size of the square: evidence that is larger, or that is there twice, hides behind its remainder and scores near zero, and the resolution is about one stride. A square of one colour has edges of its own and is unlike any photograph the model met, so part of a fall may be that: compare fills, and read only what stays. The numbers do not add up to the score.',
  paper: {
    title: 'Visualizing and Understanding Convolutional Networks',
    authors: 'Zeiler, Fergus',
    year: 2014,
    url: 'https://arxiv.org/abs/1311.2901',
  },
  needs: [],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: (chosen, facts) => windowsOver(extentOf(facts), windowSides(extentOf(facts), chosen)).length + 1,
  /** map[y, x] = mean over windows W that hold (y, x) of F(x) - F(x with W filled), as in Captum's Occlusion. */
  async run(context, chosen) {
    const [, , height = 0, width = 0] = context.picture.dims
    const asked = await askedOf(context)
    const windows = windowsOver([height, width], windowSides([height, width], chosen))
    const area = height * width
    const rows = behindMasks(context, {
      total: windows.length,
      mask: given('kept'),
      filling: filling(context, chosen.fill),
      perRow({ first, count }) {
        const kept = new Float32Array(count * area).fill(1)
        for (let row = 0; row < count; row += 1)
          for (const [from, to] of windows[first + row]?.spans(width) ?? [])
            kept.fill(0, row * area + from, row * area + to)
        return { kept: float32(kept, [count, 1, height, width]) }
      },
    })
    const sums = new Float64Array(area)
    const counts = new Float64Array(area)
    for await (const { first, scalars } of scalarsOfRows(asked.asking, rows, forwardRows(context)))
      scalars.forEach((score, row) => {
        for (const [from, to] of windows[first + row]?.spans(width) ?? [])
          for (let at = from; at < to; at += 1) {
            sums[at] = (sums[at] as number) + asked.scalar - score
            counts[at] = (counts[at] as number) + 1
          }
      })
    const map = Float32Array.from(sums, (sum, at) => sum / Math.max(1, counts[at] as number))
    return perturbed(asked, float32(map, [height, width]))
  },
})

/** As a square where the sides are not known. */
function extentOf({ pixels: area, sides }: CostFacts): readonly [number, number] {
  return sides ?? [Math.ceil(Math.sqrt(area)), Math.ceil(Math.sqrt(area))]
}
