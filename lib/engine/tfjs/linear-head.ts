/** The linear head of a CNN, for plain CAM: logits = W globalAveragePool(map) + b, read off the layers between them. */
import { float32 } from '../../tensor/tensor.ts'
import { AffineMap } from '../affine-map.ts'
import type { LinearHead } from '../model.ts'
import type { LinearPart } from './layer-parts.ts'
import type { Program, Slot } from './program.ts'

/** The linear parts from the slot to the logits, in order; null when there is another way, or a bend in it. */
function way(program: Program, from: Slot): LinearPart[] | null {
  const parts: LinearPart[] = []
  let slot = program.logits.slot
  while (slot !== from) {
    const step = program.steps.find(({ outputs }) => outputs.includes(slot))
    const [input, ...others] = step?.inputs ?? []
    if (step?.linear == null || input === undefined || others.length > 0) return null
    parts.unshift(step.linear)
    slot = input
  }
  return parts
}

/** [M, L] of a kernel [L, M], as Keras keeps them. */
function turned(kernel: ArrayLike<number>, inner: number): Float32Array {
  const outer = kernel.length / inner
  return Float32Array.from(kernel, (_, at) => kernel[(at % inner) * outer + Math.floor(at / inner)] ?? 0)
}

/** The linear parts put together. */
function composed(parts: readonly LinearPart[], channels: number): AffineMap {
  let map = AffineMap.identity(channels)
  for (const part of parts) {
    if (part.kind === 'dense')
      map = map.product(turned(part.kernel.dataSync(), map.outputs), part.bias?.dataSync() ?? null)
    if (part.kind === 'pair') map = map.product([-1, 1], null)
    if (part.kind === 'scale') map = map.scaled(part.scale.dataSync(), part.shift.dataSync())
  }
  return map
}

/**
 * W [K, C] and b [K] where the logits are exactly W globalAveragePool(tap) + b: between them lie one global average
 * pooling, and only dense layers, 1 x 1 convolutions, batch normalisations and layers that do nothing at inference.
 * Null for anything else.
 */
export function linearHeadOf(program: Program, slot: Slot): LinearHead | null {
  const shape = program.slots[slot]?.shape ?? []
  const channels = program.channelsLast ? shape.at(-1) : undefined
  if (shape.length !== 4 || typeof channels !== 'number') return null
  const parts = way(program, slot)
  if (parts === null || parts.filter(({ kind }) => kind === 'global-average').length !== 1) return null
  // Before the pooling a reshape would move values between places.
  const pooled = parts.findIndex(({ kind }) => kind === 'global-average')
  if (parts.slice(0, pooled).some(({ kind }) => kind === 'reshape')) return null
  const { weights, bias } = composed(parts, channels)
  return { weights: float32(weights, [bias.length, channels]), bias: float32(bias, [bias.length]) }
}
