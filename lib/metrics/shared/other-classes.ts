/**
 * The random-logit test (Sixt et al. 2020, 1912.09818): how much an attribution stays the same where another class is explained,
 * by Spearman's rank correlation rather than the paper's structural similarity, which texts do not have.
 */
import { z } from 'zod'
import type { RunContext } from '../../methods/context.ts'
import { randomStream } from '../../methods/shared/random.ts'
import type { Rows } from '../../methods/shared/reading.ts'
import { classOf } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import type { FloatTensor } from '../../tensor/tensor.ts'
import type { MetricResult } from '../metric.ts'
import { followed } from './explained.ts'
import { resultOf, undefinedResult } from './result.ts'
import { mean, meanInterval, spearman } from './statistics.ts'

const otherClassesParams = z.strictObject({
  classes: z.int().min(1).max(100).default(1).meta({
    title: 'Classes',
    description: 'How many other classes are explained, drawn at random; at most all there are.',
  }),
})
export type OtherClassesParams = z.infer<typeof otherClassesParams>

function ofClass(target: Target, index: number): Target {
  const same = 'index' in target && target.kind !== 'contrast' && !('against' in target && target.against === index)
  return same ? { ...target, index } : { kind: 'logit', index }
}

/** @param attributionOf of another target, by the same method with the same parameters: the places that are compared */
export async function similarityOfOtherClasses(
  context: RunContext & Pick<Rows, 'feeds'>,
  own: ArrayLike<number>,
  { classes }: OtherClassesParams,
  attributionOf: (target: Target) => Promise<ArrayLike<number>>,
): Promise<MetricResult> {
  const { target } = await followed(context, false)
  const index = classOf(target, [])
  const count = context.head.classes
  if (index === null || count < 2)
    return undefinedResult(
      'The explained number is of no class in particular, or there is no other, so nothing can be compared.',
    )
  const { permutation } = randomStream(context.seed, 'other classes')
  const others = permutation(count - 1, Math.min(classes, count - 1)).map((at) => (at < index ? at : at + 1))
  const found: number[] = []
  for (const [at, other] of others.entries()) {
    const similarity = spearman(own, await attributionOf(ofClass(target, other)))
    if (similarity !== null) found.push(similarity)
    context.progress((at + 1) / others.length)
  }
  if (found.length === 0)
    return undefinedResult('One of the attributions is the same everywhere, so they have no ranks to compare.')
  return resultOf(mean(found), { interval: meanInterval(found) })
}

/** [H, W] or [T] at these places; everywhere when left out. */
export function valuesAt({ data }: FloatTensor, places?: readonly number[]): ArrayLike<number> {
  return places === undefined ? data : places.map((place) => data[place] ?? Number.NaN)
}

/** What both modalities say of themselves alike. */
export const RANDOM_LOGIT = {
  id: 'random-logit',
  version: 1,
  family: 'sanity',
  title: 'Random logit',
  summary: 'How much the explanation stays the same when another class is explained.',
  misleads:
    'Classes that look or mean alike may rightly be explained alike, two breeds of cat above all. Of two classes one is often exactly the other with the sign turned, which gives −1 and says little. Rectified or absolute values cannot be negative and are alike for that reason. A method that passes may still be wrong for both classes.',
  paper: {
    title: 'When Explanations Lie: Why Many Modified BP Attributions Fail',
    authors: 'Sixt, Granz, Landgraf',
    year: 2020,
    url: 'https://arxiv.org/abs/1912.09818',
  },
  needs: [],
  needsAnnotation: false,
  params: otherClassesParams,
  better: 'lower',
} as const
