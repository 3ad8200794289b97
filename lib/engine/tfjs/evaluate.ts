/** Runs a plan: forward to the taps, a tape from there to the scalar, and back. Leaves no tensor behind. */
import { setImmediate as nextTick } from 'node:timers/promises'
import * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import type { Plan } from './plan.ts'
import type { Program, Slot, Step } from './program.ts'
import type { RectifierRule } from './rule-sets.ts'

/** Made of values of the same run; the caller's tidy disposes of it. */
export type LateTensor = (value: (slot: Slot) => tf.Tensor) => tf.Tensor

export interface Evaluation {
  readonly program: Program
  readonly plan: Plan
  /** Fed and replaced values, in TensorFlow.js' layout. Not disposed here. */
  readonly given: ReadonlyMap<Slot, tf.Tensor>
  readonly read: ReadonlySet<Slot>
  readonly cotangent: ReadonlyMap<Slot, tf.Tensor | LateTensor>
  readonly rulesAt: (step: Step) => RectifierRule
  readonly signal: AbortSignal | undefined
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new AppError({ code: 'CANCELLED', message: 'the question was cancelled', userMessage: 'Cancelled.' })
}

/** Values and masks by slot; owns what it holds, except what was given. */
class Values {
  private readonly values = new Map<Slot, tf.Tensor>()
  private readonly masks = new Map<Slot, tf.Tensor>()
  private readonly owned = new Set<tf.Tensor>()

  constructor(given: ReadonlyMap<Slot, tf.Tensor>) {
    for (const [slot, tensor] of given) this.values.set(slot, tensor)
  }

  get(slot: Slot): tf.Tensor {
    const found = this.values.get(slot)
    if (found === undefined) throw new Error(`value ${slot} is used before it is made`)
    return found
  }

  own(slot: Slot, tensor: tf.Tensor): void {
    this.values.set(slot, tensor)
    this.owned.add(tensor)
  }

  release(slot: Slot): void {
    const tensor = this.values.get(slot)
    if (tensor === undefined || !this.owned.delete(tensor)) return
    tensor.dispose()
    this.values.delete(slot)
  }

  mask(slot: Slot): tf.Tensor | null {
    return this.masks.get(slot) ?? null
  }

  ownMask(slot: Slot, mask: tf.Tensor): void {
    this.masks.set(slot, mask)
    this.owned.add(mask)
  }

  dispose(): void {
    for (const tensor of this.owned) tensor.dispose()
    this.owned.clear()
  }
}

/** The mask that a step passes on, by Keras' rules. */
function maskBehind(step: Step, inputs: readonly tf.Tensor[], masks: readonly (tf.Tensor | null)[]): tf.Tensor | null {
  if (step.layer === null) return masks[0] ?? null
  if (!step.layer.supportsMasking) return null
  const [tensor] = inputs
  const one = inputs.length === 1 && tensor !== undefined
  const mask = step.layer.computeMask(
    one ? tensor : [...inputs],
    (one ? masks[0] : masks) as tf.Tensor | tf.Tensor[],
  ) as tf.Tensor | tf.Tensor[] | null | undefined
  return (Array.isArray(mask) ? mask[0] : mask) ?? null
}

/** Runs one step and keeps its outputs, for a caller that may itself be inside a tidy. */
function runStep(step: Step, values: Values, { program, rulesAt, given }: Evaluation): void {
  const inputs = step.inputs.map((slot) => values.get(slot))
  const masks = program.masked ? step.inputs.map((slot) => values.mask(slot)) : []
  const count = step.outputs.length
  const made: tf.Tensor[] = tf.tidy(() => {
    const replaced = step.outputs.map((slot) => given.get(slot))
    const outputs = replaced.every((value) => value !== undefined)
      ? replaced // only the mask is wanted
      : step.run(inputs, { rules: rulesAt(step), mask: masks[0] ?? null }).slice(0, count)
    const mask = program.masked ? maskBehind(step, inputs, masks) : null
    const all = mask === null ? outputs : [...outputs, mask]
    // What a layer hands on as it is must have a life of its own.
    const others = [...inputs, ...masks, ...replaced]
    return all.map((tensor) => (others.includes(tensor) ? tf.clone(tensor) : tensor))
  })
  step.outputs.forEach((slot, index) => {
    const output = made[index]
    if (output === undefined) throw new Error(`${step.name} made no output ${index}`)
    if (given.has(slot))
      output.dispose() // a replaced tap of a layer with several outputs
    else values.own(slot, tf.keep(output))
  })
  const mask = made[count]
  const [first] = step.outputs
  if (mask !== undefined && first !== undefined) values.ownMask(first, tf.keep(mask))
}

/** How often a value is still needed; those of the answer never run out. */
function usesOf({ plan, read, cotangent }: Evaluation): Map<Slot, number> {
  const uses = new Map<Slot, number>()
  const add = (slot: Slot, count: number): void => void uses.set(slot, (uses.get(slot) ?? 0) + count)
  for (const step of plan.before) step.inputs.forEach((slot) => add(slot, 1))
  for (const step of [...plan.taped, ...plan.after]) step.inputs.forEach((slot) => add(slot, Infinity))
  for (const slot of [...read, ...cotangent.keys(), ...plan.leaves]) add(slot, Infinity)
  return uses
}

/** Passes a tensor through and hands out the gradient that arrives there, all its consumers' together. */
function probe(tensor: tf.Tensor, arrived: (gradient: tf.Tensor) => void): tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      arrived(tf.keep(tf.clone(dy)))
      return dy
    },
  }))(tensor)
}

/** Weights that are made of values may read what the scalar itself does not need: all steps then run before the way back. */
function weightsAreLate({ cotangent }: Evaluation): boolean {
  return [...cotangent.values()].some((weights) => typeof weights === 'function')
}

/** The taped steps, and the gradients at leaves and probes. */
function differentiate(evaluation: Evaluation, values: Values, gradients: Map<Slot, tf.Tensor>): void {
  const { plan, cotangent } = evaluation
  const leaves = plan.leaves.map((slot) => values.get(slot))
  const probes = new Set(plan.probes)
  const failures: unknown[] = []
  const tensorOf = (slot: Slot, weights: tf.Tensor | LateTensor): tf.Tensor => {
    if (typeof weights !== 'function') return weights
    try {
      return weights((one) => values.get(one))
    } catch (thrown) {
      // A tape that does not come back leaves behind what it has saved for the way back.
      failures.push(thrown)
      return tf.zerosLike(values.get(slot))
    }
  }
  const scalar = (): tf.Scalar => {
    for (const step of plan.taped) {
      runStep(step, values, evaluation)
      for (const slot of step.outputs)
        if (probes.has(slot))
          values.own(slot, tf.keep(probe(values.get(slot), (gradient) => gradients.set(slot, gradient))))
    }
    if (weightsAreLate(evaluation)) for (const step of plan.after) runStep(step, values, evaluation)
    const terms = [...cotangent].map(([slot, weights]) => tf.sum(tf.mul(values.get(slot), tensorOf(slot, weights))))
    return tf.addN(terms) as tf.Scalar
  }
  const atLeaves = tf.tidy(() =>
    tf
      .grads(scalar)(leaves)
      .map((gradient) => tf.keep(gradient)),
  )
  plan.leaves.forEach((slot, index) => {
    const gradient = atLeaves[index]
    if (gradient !== undefined) gradients.set(slot, gradient)
  })
  if (failures.length > 0) throw failures[0]
}

/**
 * Runs the plan and hands the values and gradients to `collect`, in TensorFlow.js' layout; they are disposed afterwards.
 * A gradient is missing where nothing leads from the tap to the scalar.
 * @throws AppError CANCELLED when the signal was aborted, between two layers at the latest.
 */
export async function evaluate<T>(
  evaluation: Evaluation,
  collect: (value: (slot: Slot) => tf.Tensor, gradient: (slot: Slot) => tf.Tensor | undefined) => T,
): Promise<T> {
  const { plan, signal } = evaluation
  const values = new Values(evaluation.given)
  const gradients = new Map<Slot, tf.Tensor>()
  const uses = usesOf(evaluation)
  try {
    for (const step of plan.before) {
      await nextTick()
      stopIfAborted(signal)
      runStep(step, values, evaluation)
      for (const slot of step.inputs) {
        const left = (uses.get(slot) ?? 0) - 1
        uses.set(slot, left)
        if (left <= 0) values.release(slot)
      }
      for (const slot of step.outputs) if (!uses.has(slot)) values.release(slot)
    }
    await nextTick()
    stopIfAborted(signal)
    const differentiated = plan.leaves.length > 0
    if (differentiated) differentiate(evaluation, values, gradients)
    else for (const step of plan.taped) runStep(step, values, evaluation)
    if (!differentiated || !weightsAreLate(evaluation)) for (const step of plan.after) runStep(step, values, evaluation)
    stopIfAborted(signal)
    return collect(
      (slot) => values.get(slot),
      (slot) => gradients.get(slot),
    )
  } finally {
    values.dispose()
    for (const tensor of gradients.values()) tensor.dispose()
  }
}
