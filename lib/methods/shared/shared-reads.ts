/**
 * What several methods read of one input: the value of a tap and the gradient of a scalar there, asked once for all methods
 * that read them, and each method's formulas computed of them literally, in double precision.
 *
 * What a method finds depends on nothing but its own question, whoever else reads: so its run can be stored under a key of its
 * own. It is not to the byte what the method finds alone, where the engine computes the formulas inside its graph in float32.
 */
import { keyOf, leavesOf } from '../../engine/formula.ts'
import { interpret, ComputedParts } from '../../engine/interpret.ts'
import type { Answer, Tap } from '../../engine/model.ts'
import { AppError, throwIfCancelled } from '../../errors.ts'
import type { ModelFacts } from '../../models/facts.ts'
import { settled, stateScalars } from '../../target/scalar.ts'
import { row, type FloatTensor } from '../../tensor/tensor.ts'
import type { RunContext } from '../context.ts'
import { answered } from './batches.ts'
import { tapIn, type ReadAhead, type Reading, type Rows } from './reading.ts'

/** Numbers of formulas that methods have in common: 32 MB a place, target and rule set. */
const ROOM_FOR_PARTS = 2 ** 22

type Asking = RunContext & Pick<Rows, 'feeds'>

/** What was asked once, and what was computed of it so far. */
interface Answered extends Answer {
  readonly parts: ComputedParts
}

interface Reads<Context> {
  reading?(context: Context, params: unknown): Reading
}

/** null for a method that reads no gradient once, and for one that has to know more of the input before it can. */
export function readingAt<Context extends RunContext>(
  method: Reads<Context>,
  context: Context,
  params: unknown,
): Reading | null {
  if (method.reading === undefined) return null
  try {
    return method.reading(context, params)
  } catch (error) {
    if (error instanceof AppError && error.code === 'METHOD_UNAVAILABLE') return null
    throw error
  }
}

/** Of its own tap alone, where a gradient can be had, under rules that can be told apart by what they say. */
function canBeShared({ outputs, rules }: Reading, { id, differentiable }: Tap, { refusals }: ModelFacts): boolean {
  const leaves = Object.values(outputs).flatMap(leavesOf)
  const ofTap = leaves.every((leaf) => leaf.kind === 'given' || leaf.tap === id)
  const refused = refusals.some((one) => one.rules === rules?.id && one.taps.includes(id))
  return ofTap && differentiable && !refused && rules?.reference === undefined
}

/** For one model and one input. */
export class SharedReads {
  readonly #answers = new Map<string, Promise<Answered>>()
  #prepared: Promise<unknown> | null = null

  /** The input as the model is fed, which is made once. @param make the same for every caller */
  prepared<Prepared>(make: () => Promise<Prepared>): Promise<Prepared> {
    this.#prepared ??= make()
    return this.#prepared as Promise<Prepared>
  }

  /** Questions asked so far. */
  get asked(): number {
    return this.#answers.size
  }

  /**
   * What the method would read by itself, for its context; null where it has to ask by itself: it does not read once, reads
   * other taps than its own or one that no gradient reaches, or bends the gradient around a reference.
   * @throws AppError CANCELLED, whatever the engine throws
   */
  async ahead<Context extends Asking>(
    method: Reads<Context>,
    context: Context,
    params: unknown,
  ): Promise<ReadAhead | null> {
    if (context.tap === null) return null
    const reading = readingAt(method, context, params)
    if (reading === null || !canBeShared(reading, context.tap, context.facts)) return null
    throwIfCancelled(context.signal)
    const { values, gradients, parts } = await this.#answer(context, reading)
    const { id } = context.tap
    const [value, slope] = [answered(values, id), answered(gradients, id)]
    const computed = (formula: Reading['outputs'][string]): FloatTensor =>
      interpret(
        formula,
        (leaf) => {
          if (leaf.kind === 'given') return answered(reading.shared ?? {}, leaf.name)
          return leaf.kind === 'value' ? value : slope
        },
        // What a method gives under a name is its own.
        reading.shared === undefined ? parts : null,
      )
    const outputs = Object.entries(reading.outputs).map(([name, formula]) => [name, row(computed(formula), 0)] as const)
    const logits = row(answered(values, context.model.logits), 0)
    const found = { outputs: Object.fromEntries(outputs), logits, target: settled(reading.target, logits.data) }
    return { feeds: context.feeds, reading, found }
  }

  /** The same question for whoever reads there: always the value and the gradient. One that failed is asked again. */
  #answer(context: Asking, { target, rules }: Reading): Promise<Answered> {
    const { model, head, feeds, signal } = context
    const { id } = tapIn(context)
    const key = keyOf([id, target, rules ?? null])
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const { of, perRow } = stateScalars([target], head)
    const asked = model.ask(
      {
        feeds,
        read: [model.logits, id],
        gradient: { of, wrt: [id], ...(rules === undefined ? {} : { rules }) },
        formulas: { perRow },
      },
      signal,
    )
    const answer = asked.then((one): Answered => ({ ...one, parts: new ComputedParts(ROOM_FOR_PARTS) }))
    this.#answers.set(key, answer)
    answer.catch(() => this.#answers.delete(key))
    return answer
  }
}

/** The method's own result, with what it reads once read together with others. @throws AppError as the method itself */
export async function runSharing<Context extends Asking, Result>(
  method: Reads<Context> & { run(context: Context, params: unknown): Promise<Result> },
  context: Context,
  params: unknown,
  reads: SharedReads,
): Promise<Result> {
  const readAhead = await reads.ahead(method, context, params)
  return method.run(readAhead === null ? context : { ...context, readAhead }, params)
}
