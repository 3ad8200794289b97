/** The `scalar` parameter of text methods: which number of the class is explained. */
import { z } from 'zod'
import type { Target } from '../../../target/target.ts'

/** The number that is explained: what the target says since it names any number, so forms do not offer it a second time. */
export const scalarParam = z
  .enum(['logit', 'margin'])
  .default('logit')
  .meta({
    title: 'Explained number',
    deprecated: true,
    description:
      'logit: the score of the class before the softmax. margin: that score less the mean of the other classes\u2019 ' +
      '(for two classes their difference, the log-odds). The target says the same: `MARGIN`.',
  })
export type Scalar = z.infer<typeof scalarParam>

/** The target with its `scalar` parameter: a class's logit, or its margin over the mean of the others. */
export function withScalar(target: Target, scalar: Scalar): Target {
  return scalar === 'margin' && target.kind === 'logit'
    ? { kind: 'margin', index: target.index, against: null }
    : target
}

/** The `scalar` among a run's parameters; methods without one explain the target itself. */
export function scalarIn(params: unknown): Scalar {
  const named = params !== null && typeof params === 'object' && 'scalar' in params ? params.scalar : null
  return named === 'margin' ? 'margin' : 'logit'
}
