/** Occlusion (Zeiler and Fergus 2014, 1311.2901, section 4.2): how far the score falls when a cell of a grid is grey. */
import { z } from 'zod'
import { given } from '../../../lib/engine/formula.ts'
import { diagnoseMap } from '../../../lib/methods/image/shared/diagnose.ts'
import { behindMasks } from '../../../lib/methods/image/shared/masked-picture.ts'
import { imageMethod } from '../../../lib/methods/method.ts'
import { logitsOf } from '../../../lib/methods/shared/logits.ts'
import { everyScalar } from '../../../lib/methods/shared/made-rows.ts'
import { scalarOf, settled } from '../../../lib/target/scalar.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const PER_QUESTION = 16
const GREY = [127.5, 127.5, 127.5] as const
const params = z.strictObject({
  cells: z.int().min(1).max(100).default(3).meta({
    title: 'Cells',
    description: 'Along each side of the picture; one is hidden at a time.',
  }),
})

export const imageOcclusion = imageMethod<z.infer<typeof params>>({
  id: 'occlusion',
  version: 1,
  modality: 'image',
  family: 'perturbation',
  title: 'Occlusion',
  summary: 'How far the score falls when a part of the picture is hidden.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: ({ cells }) => cells * cells + 1,
  async run(context, { cells }) {
    const { picture, units, head } = context
    const [, , height = 0, width = 0] = picture.dims
    const logits = await logitsOf(context)
    const target = settled(context.target, logits.data)
    const whole = scalarOf(target, logits.data, head.link)
    /** 0 in one cell, 1 elsewhere. */
    const without = (cell: number): readonly number[] =>
      Array.from({ length: height * width }, (_, at) => {
        const [y, x] = [Math.floor(at / width), at % width]
        return Number(Math.floor((y * cells) / height) * cells + Math.floor((x * cells) / width) !== cell)
      })
    const rows = behindMasks(context, {
      total: cells * cells,
      mask: given('keep'),
      filling: units.colour(GREY),
      perRow: ({ first, count }) => {
        const masks = Array.from({ length: count }, (_, row) => without(first + row))
        return { keep: float32(masks.flat(), [count, 1, height, width]) }
      },
    })
    const scores = await everyScalar({ ...context, target }, rows, PER_QUESTION)
    const map = float32(
      Array.from(scores, (score) => whole - score),
      [cells, cells],
    )
    return {
      kind: 'image',
      map,
      layer: null,
      logits,
      diagnoses: diagnoseMap(map, logits, target, null, context.head.link),
    }
  },
})
