/**
 * Comprehensiveness and sufficiency (DeYoung et al. 2020, 1911.03429, section 5): the fall of the probability when the tokens
 * that count most are deleted, or when only they are kept, averaged over rationales of several sizes (AOPC).
 *
 * `eraser`: the sizes 1, 5, 10, 20 and 50 % of the tokens, rounded up, each counted, as ERASER's code averages them (its paper
 * divides by one more, for the empty rationale). `ferret`: 10, 20 ... 100 %, rounded down; a size of no token is left out, and
 * one that is the last one again. Ferret decodes and cuts anew; here tokens are deleted as ids, in both dialects.
 */
import { z } from 'zod'
import type { JudgedText, MetricResult } from '../../metric.ts'
import { followed } from '../../shared/explained.ts'
import { resultOf, undefinedResult } from '../../shared/result.ts'
import { mean } from '../../shared/statistics.ts'
import { keeping, ranked, valuesOfTexts, without } from './tokens.ts'

export const rationaleParams = z.strictObject({
  dialect: z.enum(['eraser', 'ferret']).default('eraser').meta({
    title: 'Dialect',
    description:
      'eraser: rationales of 1, 5, 10, 20 and 50 % of the tokens, rounded up. ferret: of 10, 20 ... 100 %, rounded down.',
  }),
})
export type RationaleParams = z.infer<typeof rationaleParams>

const ERASER = [0.01, 0.05, 0.1, 0.2, 0.5]
const FERRET = Array.from({ length: 10 }, (_, at) => 0.1 + at * 0.1)

/** Tokens in each rationale. @param tokens that are no special ones */
function rationaleSizes(tokens: number, { dialect }: RationaleParams): readonly number[] {
  if (dialect === 'eraser') return ERASER.map((share) => Math.ceil(share * tokens))
  const sizes = FERRET.map((share) => Math.floor(share * tokens))
  return sizes.filter((size, at) => size > 0 && size !== sizes[at - 1])
}

const EMPTY = 'The text has no tokens besides the special ones, so none can be deleted.'

/** @param rest what is left of the text with a rationale */
export async function rationaleCurve(
  context: JudgedText,
  params: RationaleParams,
  rest: 'without' | 'keeping',
): Promise<MetricResult> {
  const order = ranked(context)
  if (order.length === 0) return undefinedResult(EMPTY)
  const { target, whole } = await followed(context)
  const sizes = rationaleSizes(order.length, params)
  const left = rest === 'without' ? without : keeping
  const value = await valuesOfTexts(
    context,
    { target, whole },
    sizes.map((size) => left(context, order.slice(0, size))),
  )
  const curve = { share: sizes.map((size) => size / order.length), value }
  return resultOf(mean(value.map((one) => whole - one)), { curve })
}

export const RATIONALE_COST = (params: RationaleParams): number => (params.dialect === 'eraser' ? 6 : 11)
