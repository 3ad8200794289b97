/** What of a program has to run for a question: only what its answer needs, from the replaced taps on. */
import type { Program, Slot, Step } from './program.ts'

export interface Plan {
  /** Steps without a gradient through them, in order. */
  readonly before: readonly Step[]
  /** Steps between a tap that is differentiated and the scalar, in order. */
  readonly taped: readonly Step[]
  /** Steps that need what the taped ones made, and that the scalar does not. */
  readonly after: readonly Step[]
  /** Model inputs that must be fed. */
  readonly feeds: readonly Slot[]
  /** Taps where the tape starts. */
  readonly leaves: readonly Slot[]
  /** Differentiated taps inside the tape. */
  readonly probes: readonly Slot[]
}

export interface Wanted {
  readonly replaced: ReadonlySet<Slot>
  readonly read: ReadonlySet<Slot>
  /** Slots of the cotangent. */
  readonly of: ReadonlySet<Slot>
  readonly wrt: ReadonlySet<Slot>
}

function some(slots: readonly Slot[], set: ReadonlySet<Slot>): boolean {
  return slots.some((slot) => set.has(slot))
}

export function planOf(program: Program, { replaced, read, of, wrt }: Wanted): Plan {
  const { steps, inputs } = program
  // Backwards: what is needed at all, and what leads to the scalar. Nothing lies before a replaced tap.
  const needed = new Set([...read, ...of, ...wrt])
  const leading = new Set(of)
  const running = new Set<Step>()
  for (const step of steps.toReversed()) {
    const open = step.outputs.filter((slot) => !replaced.has(slot))
    // A replaced tap keeps the mask that what lies before it makes.
    if (!some(program.masked ? step.outputs : open, needed)) continue
    running.add(step)
    step.inputs.forEach((slot) => needed.add(slot))
    if (some(open, leading)) step.inputs.forEach((slot) => leading.add(slot))
  }
  // Forwards: what depends on a differentiated tap.
  const reached = new Set<Slot>()
  const leaves: Slot[] = []
  const probes: Slot[] = []
  const visit = (slot: Slot, inside: boolean): void => {
    if (wrt.has(slot) && leading.has(slot)) {
      if (inside) probes.push(slot)
      else leaves.push(slot)
      reached.add(slot)
    } else if (inside) reached.add(slot)
  }
  inputs.forEach(({ slot }) => visit(slot, false))
  for (const slot of replaced) if (!inputs.some((input) => input.slot === slot)) visit(slot, false)
  const plan = { before: [] as Step[], taped: [] as Step[], after: [] as Step[] }
  for (const step of steps) {
    const inside = some(step.inputs, reached)
    const open = step.outputs.filter((slot) => !replaced.has(slot))
    if (!running.has(step)) continue
    const taped = inside && some(open, leading)
    open.forEach((slot) => visit(slot, taped))
    if (taped) plan.taped.push(step)
    else if (inside) {
      plan.after.push(step)
      open.forEach((slot) => reached.add(slot))
    } else plan.before.push(step)
  }
  const feeds = inputs.map(({ slot }) => slot).filter((slot) => needed.has(slot) && !replaced.has(slot))
  return { ...plan, feeds, leaves, probes }
}
