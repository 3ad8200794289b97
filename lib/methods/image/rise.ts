/** RISE (Petsiuk et al. 2018, 1806.07421): how the score goes with what random masks show. Letters: N masks, h x w grid, H x W extent. */
import { z } from 'zod'
import { given, matmul } from '../../engine/formula.ts'
import { imageMethod } from '../method.ts'
import { scalarsOfRows } from '../shared/made-rows.ts'
import { askedOf, forwardRows } from './shared/asked.ts'
import { behindMasks } from './shared/masked-picture.ts'
import { perturbed } from './shared/perturbed.ts'
import { drawnMasks, MaskSums, riseMasks } from './shared/rise-masks.ts'

const params = z.strictObject({
  masks: z.int().min(1).max(20_000).default(4000).meta({
    title: 'Masks',
    description: 'Random masks that the picture is seen through; the paper takes 4,000 to 8,000.',
  }),
  grid: z.int().min(2).max(64).default(7).meta({
    title: 'Grid',
    description: 'Cells along each side of a mask before it is enlarged: more of them draw finer and need more masks.',
  }),
  share: z.number().min(0.01).max(0.99).default(0.5).meta({
    title: 'Share shown',
    description: 'Probability p that a cell of a mask is open.',
  }),
})
type Params = z.infer<typeof params>

export const rise = imageMethod<Params>({
  id: 'rise',
  version: 1,
  modality: 'image',
  family: 'perturbation',
  title: 'RISE',
  summary:
    'The mean score of the class over random masks, at each place over those that show it. Asks for predictions only.',
  meaning:
    'The picture is seen through thousands of random soft masks, and each place has the mean score of the class over the masks, weighed by how far they show that place and divided by p: in expectation, the mean score where the place is visible (equation 6 of the paper). What counts are differences within the map: a place above the others is one whose being seen raises the score. The level itself is about the mean score of masked pictures and says nothing of a place.',
  misleads:
    'With N masks the map has a pattern of their own, about as large as the scores\u2019 standard deviation over root (p N), and larger where the explained number is far from zero, as logits may be: run it with another seed and trust what stays. Hidden parts fade to the zero of the model\u2019s numbers (the mean colour of its training pictures), which some models take for evidence. One cell of the grid is the finest detail.',
  paper: {
    title: 'RISE: Randomized Input Sampling for Explanation of Black-box Models',
    authors: 'Petsiuk, Das, Saenko',
    year: 2018,
    url: 'https://arxiv.org/abs/1806.07421',
  },
  needs: [],
  params,
  output: { kind: 'map', signed: true, complete: false },
  cost: ({ masks }) => masks + 1,
  /** map = 1 / (p N) sum_i F(x * M_i) M_i; equation 6 of the paper, with E[M] = p. */
  async run(context, { masks: total, grid, share }) {
    const [, , height = 0, width = 0] = context.picture.dims
    const asked = await askedOf(context)
    const masks = riseMasks([height, width], grid, drawnMasks([height, width], grid, share, context.seed))
    const rows = behindMasks(context, {
      total,
      // [N, 1, H, h] [N, 1, h, w] [N, 1, w, W]: enlarging and shifting are linear along each side.
      mask: matmul(matmul(given('down'), given('cells')), given('across')),
      perRow: (batch) => masks.rows(batch),
    })
    const sums = new MaskSums(masks)
    for await (const { first, scalars } of scalarsOfRows(asked.asking, rows, forwardRows(context)))
      scalars.forEach((score, row) => sums.add(first + row, score))
    return perturbed(asked, sums.map(1 / (share * total)))
  },
})
