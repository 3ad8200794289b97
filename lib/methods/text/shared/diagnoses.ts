/** Sentences that several text methods may have to say about a result. */
import { classOf, explainsScore } from '../../../target/scalar.ts'
import type { Target } from '../../../target/target.ts'
import type { Diagnosis } from '../../diagnosis.ts'

/** A probability this close to 0 or 1 has no gradient worth reading. */
const SATURATED = 1e-4

/** SOFTMAX_SATURATED where the probability of the class is within 0.01 % of 0 or 1. `logits`: [K]. */
export function saturation(logits: ArrayLike<number>, target: Target): readonly Diagnosis[] {
  const index = explainsScore(target) ? classOf(target, logits) : null
  if (index === null) return []
  const values = Array.from(logits)
  const largest = Math.max(...values)
  const total = values.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)
  const probability = Math.exp((values[index] ?? Number.NaN) - largest) / total
  if (probability > SATURATED && probability < 1 - SATURATED) return []
  return [
    {
      code: 'SOFTMAX_SATURATED',
      severity: 'info',
      message:
        `The probability of this class is ${probability < 0.5 ? 'practically 0' : 'practically 1'}, where it hardly ` +
        'reacts to any word. The scores explain the number before the softmax instead.',
    },
  ]
}

/** ZERO_GRADIENT where every value is exactly 0. */
export function zeroGradient(gradient: ArrayLike<number>): readonly Diagnosis[] {
  for (let index = 0; index < gradient.length; index += 1) if (gradient[index] !== 0) return []
  return [
    {
      code: 'ZERO_GRADIENT',
      severity: 'warning',
      message: 'The gradient is zero at every token: no small change of any word would change the score of this class.',
    },
  ]
}
