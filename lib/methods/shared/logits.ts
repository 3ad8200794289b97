/** One forward pass, for the logits alone. */
import { throwIfCancelled } from '../../errors.ts'
import { row, type FloatTensor } from '../../tensor/tensor.ts'
import type { RunContext } from '../context.ts'
import { answered } from './batches.ts'
import type { Rows } from './reading.ts'

/** Of the input itself, [K]. @throws AppError CANCELLED */
export async function logitsOf({
  model,
  head,
  signal,
  feeds,
}: Pick<RunContext, 'model' | 'head' | 'signal'> & Pick<Rows, 'feeds'>): Promise<FloatTensor> {
  throwIfCancelled(signal)
  const { values } = await model.ask({ feeds, read: [head.logits] }, signal)
  throwIfCancelled(signal)
  return row(answered(values, head.logits), 0)
}
