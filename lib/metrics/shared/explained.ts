/** Which number of the model a metric follows. */
import type { RunContext } from '../../methods/context.ts'
import { logitsOf } from '../../methods/shared/logits.ts'
import type { Rows } from '../../methods/shared/reading.ts'
import { classOf, scalarOf, settled } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'

export interface Followed {
  /** Settled: the same class at every perturbed input. */
  readonly target: Target
  /** Of the input as it is. */
  readonly whole: number
}

/**
 * The probability of the explained class; of a target that is no class, or a model without probabilities, the target itself.
 * @param probability false: the explained number itself, as methods that add up to it explain it
 */
export async function followed(
  context: Pick<RunContext, 'model' | 'head' | 'signal' | 'target'> & Pick<Rows, 'feeds'>,
  probability = true,
): Promise<Followed> {
  const { data } = await logitsOf(context)
  const { link } = context.head
  const index = classOf(context.target, data)
  const target: Target =
    probability && index !== null && link !== 'none' ? { kind: 'probability', index } : settled(context.target, data)
  return { target, whole: scalarOf(target, data, link) }
}
