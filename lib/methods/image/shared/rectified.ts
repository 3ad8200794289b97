/** Methods that bend the way back through rectifiers: what they do in a network that has other activations. */
import type { ExplainableModel, Tap } from '../../../engine/model.ts'
import { listed } from '../../../suggest.ts'
import type { Diagnosis } from '../../diagnosis.ts'

/** Clip(0, 6), which is ReLU6, counts as a rectifier. */
const RECTIFIERS: ReadonlySet<string> = new Set(['Relu', 'Clip', 'ReLU', 'QuantizeLinear', 'DequantizeLinear'])
/** An activation that several operators spell out is named by its last one; these stand inside others. */
const OF_PRODUCTS: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax'])
/** A Keras layer does not say which function it is. */
const UNSAID: ReadonlySet<string> = new Set(['Activation'])

/** NOT_RECTIFIED where a network has activations that the bent rules leave as they are. */
export function notRectified({ taps }: Pick<ExplainableModel, 'taps'>): readonly Diagnosis[] {
  const activations = taps.filter(
    ({ kind, operator }: Tap) => kind === 'activation' && !OF_PRODUCTS.has(operator) && !UNSAID.has(operator),
  )
  const others = activations.filter(({ operator }) => !RECTIFIERS.has(operator))
  if (others.length === 0) return []
  const kinds = listed([...new Set(others.map(({ operator }) => operator))].toSorted())
  return [
    {
      code: 'NOT_RECTIFIED',
      severity: 'warning',
      message:
        others.length === activations.length
          ? `This network has no rectifier (its activations are ${kinds}), so nothing is bent and the map is that of the plain gradient.`
          : `${others.length} of the ${activations.length} activations of this network are no rectifiers (${kinds}): there the gradient goes its plain way, as the paper says nothing of them.`,
    },
  ]
}
