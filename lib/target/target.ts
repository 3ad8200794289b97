/**
 * What is explained: one scalar made of a model's outputs, described as data, so that it can be stored, sent to a worker and
 * asked again. Which numbers it stands for is said in one place, `scalar.ts`.
 *
 * An `index` counts the model's outputs (its labels) from 0; null is the predicted class, the one with the largest logit
 * (the first of several), which is found in the same run that explains it.
 */
import { z } from 'zod'

const index = z.int().min(0)
const explained = index.nullable()
const weighted = z.strictObject({ index, weight: z.number() })

export const target = z.discriminatedUnion('kind', [
  /** S_c, the score before the softmax or sigmoid. */
  z.strictObject({ kind: z.literal('logit'), index: explained }),
  /** p_c, 0..1. */
  z.strictObject({ kind: z.literal('probability'), index: explained }),
  /** log(p_c / (1 - p_c)). */
  z.strictObject({ kind: z.literal('log-odds'), index: explained }),
  /** S_c less the logit of another class, or less the mean of all others where `against` is null. */
  z.strictObject({ kind: z.literal('margin'), index: explained, against: index.nullable() }),
  /** S_c less the weighted logits of others (Finer-CAM, 2501.11309, equation 5). */
  z.strictObject({ kind: z.literal('contrast'), index: explained, others: z.array(weighted).min(1) }),
  /** The sum of several logits. */
  z.strictObject({ kind: z.literal('sum'), indices: z.array(index).min(1) }),
  /** One output of a regression, as it is. */
  z.strictObject({ kind: z.literal('regression'), index }),
  /** The cosine between the output and a given embedding of its length, -1..1. */
  z.strictObject({ kind: z.literal('cosine'), to: z.array(z.number()).min(1) }),
])
export type Target = z.infer<typeof target>

/** The target that a class alone stands for. @param of null: the predicted class */
export function classTarget(of: number | null): Target {
  return { kind: 'logit', index: of }
}

/** A target as the row of a run holds it: a class alone by its index, any other as JSON too. */
export interface StoredTarget {
  readonly targetIndex: number | null
  readonly target: string | null
}

export function asStored(asked: Target): StoredTarget {
  const targetIndex = 'index' in asked ? asked.index : null
  return { targetIndex, target: asked.kind === 'logit' ? null : JSON.stringify(asked) }
}

export function storedTarget({ targetIndex, target: stored }: StoredTarget): Target {
  return stored === null ? classTarget(targetIndex) : target.parse(JSON.parse(stored))
}
