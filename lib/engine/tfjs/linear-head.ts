/** The linear head of a CNN, for plain CAM: logits = W globalAveragePool(map) + b, read off the layers between them. */
import { float32, zeros } from '../../tensor/tensor.ts'
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

/** A map x -> W x + b being composed; W is the identity until something else comes. */
interface Affine {
  readonly channels: number
  /** [K, C], or null for the identity */
  readonly weights: Float32Array | null
  readonly bias: Float32Array
}

/** Puts y = kernel^T x + bias behind: kernel [K, L] -> L outputs. */
function dense(before: Affine, kernel: ArrayLike<number>, bias: ArrayLike<number> | null): Affine {
  const inner = before.bias.length
  const outer = kernel.length / inner
  const weights = new Float32Array(outer * before.channels)
  const shift = new Float32Array(outer)
  for (let l = 0; l < outer; l++) {
    const row = new Float64Array(before.channels)
    let sum = bias?.[l] ?? 0
    for (let k = 0; k < inner; k++) {
      const factor = kernel[k * outer + l] ?? 0
      sum += factor * (before.bias[k] ?? 0)
      if (before.weights === null) row[k] = factor
      else
        for (let c = 0; c < before.channels; c++)
          row[c] = (row[c] ?? 0) + factor * (before.weights[k * before.channels + c] ?? 0)
    }
    weights.set(row, l * before.channels)
    shift[l] = sum
  }
  return { channels: before.channels, weights, bias: shift }
}

/** [C, C] with a diagonal. */
function diagonal(values: ArrayLike<number>): Float32Array {
  const matrix = new Float32Array(values.length * values.length)
  for (let c = 0; c < values.length; c++) matrix[c * values.length + c] = values[c] ?? 0
  return matrix
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
  let head: Affine = { channels, weights: null, bias: zeros([channels]).data }
  for (const part of parts) {
    if (part.kind === 'dense') head = dense(head, part.kernel.dataSync(), part.bias?.dataSync() ?? null)
    if (part.kind === 'scale') head = dense(head, diagonal(part.scale.dataSync()), part.shift.dataSync())
  }
  const weights = head.weights ?? diagonal(new Float32Array(channels).fill(1))
  return { weights: float32(weights, [head.bias.length, channels]), bias: float32(head.bias, [head.bias.length]) }
}
