/**
 * Gradient methods as what they read of a model: formulas of a tap's value and of the target's gradient there, a row each, and
 * how one row's numbers become an attribution. The method itself is one row at one tap; whatever varies the rows, the taps or
 * the targets (SmoothGrad, a strip of layers, several classes) wraps any of them, in as few questions.
 *
 * Letters: N rows, C channels, H x W extent, T tokens, E embedding size, K classes.
 */
import type { Formula } from '../../engine/formula.ts'
import type { Formulas, RuleSet, Tap } from '../../engine/model.ts'
import { AppError, throwIfCancelled } from '../../errors.ts'
import { settled, stateScalars } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import { repeatRow, row, type FloatTensor, type Tensor } from '../../tensor/tensor.ts'
import type { RunContext } from '../context.ts'
import { answered } from './batches.ts'

export interface Reading {
  /** What is differentiated: the context's target, or what a parameter of the method makes of it. */
  readonly target: Target
  /** What is computed of the tap, a row each: [N, ...]. */
  readonly outputs: Readonly<Record<string, Formula>>
  /**
   * Of a map of the picture: its numbers before the colours of a pixel are brought together, [N, C, H, W]. What is averaged or
   * squared over many rows is averaged or squared here.
   */
  readonly perColour?: Formula
  /** Tensors that the outputs name, the same for every row: [1, ...]. */
  readonly shared?: Readonly<Record<string, FloatTensor>>
  readonly rules?: RuleSet
  /** One row's outputs to its attribution: [H, W] of a map, [T] of a text. */
  attribution(outputs: Readonly<Record<string, FloatTensor>>): FloatTensor
}

/** What a wrapper varies: rows of inputs, each with its own target. */
export interface Rows {
  /** One a row; a formula makes what the model is fed, or the feeds have as many rows. */
  readonly targets: readonly Target[]
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly from?: Readonly<Record<string, FloatTensor>>
  /** Inputs made of given tensors, with these. */
  readonly made?: Pick<Formulas, 'inputs' | 'shared' | 'perRow'>
}

export interface ReadRows {
  /** Name of the reading -> row -> its outputs. */
  readonly outputs: Readonly<Record<string, readonly Readonly<Record<string, FloatTensor>>[]>>
  /** Row -> logits, [K]. */
  readonly logits: readonly FloatTensor[]
}

const named = (reading: string, output: string): string => `${reading}: ${output}`

/** A reference is the same where it is the same object: its tensors are as large as the input. */
export function sameRules(one: RuleSet | undefined, other: RuleSet | undefined): boolean {
  if (one === other) return true
  const stated = (rules: RuleSet | undefined): string => JSON.stringify([rules?.id, rules?.params, rules?.byTap])
  return one?.reference === other?.reference && stated(one) === stated(other)
}

/** Tensors of several readings under one roof: a name stands for one tensor. */
function sharedBy(readings: readonly Reading[]): Record<string, FloatTensor> {
  const shared: Record<string, FloatTensor> = {}
  for (const reading of readings)
    for (const [name, tensor] of Object.entries(reading.shared ?? {})) {
      if (shared[name] !== undefined && shared[name] !== tensor)
        throw new AppError({ code: 'INTERNAL', message: `two readings give "${name}"` })
      shared[name] = tensor
    }
  return shared
}

/**
 * Several readings of several rows, in one question.
 * @throws AppError INTERNAL where the readings bend the backward pass in different ways; CANCELLED
 */
export async function readRows(
  context: Pick<RunContext, 'model' | 'head' | 'signal'>,
  readings: Readonly<Record<string, Reading>>,
  { targets, feeds, from, made = {} }: Rows,
): Promise<ReadRows> {
  const { model, head, signal } = context
  throwIfCancelled(signal)
  const all = Object.values(readings)
  const rules = all[0]?.rules
  if (!all.every((one) => sameRules(one.rules, rules)))
    throw new AppError({ code: 'INTERNAL', message: 'readings of several rule sets in one question' })
  const { of, perRow } = stateScalars(targets, head)
  const outputs = Object.fromEntries(
    Object.entries(readings).flatMap(([name, reading]) =>
      Object.entries(reading.outputs).map(([output, formula]) => [named(name, output), formula] as const),
    ),
  )
  const answer = await model.ask(
    {
      feeds,
      ...(from === undefined ? {} : { from }),
      read: [model.logits],
      gradient: { of, wrt: [], ...(rules === undefined ? {} : { rules }) },
      formulas: {
        shared: { ...sharedBy(all), ...made.shared },
        perRow: { ...perRow, ...made.perRow },
        ...(made.inputs === undefined ? {} : { inputs: made.inputs }),
        outputs,
      },
    },
    signal,
  )
  throwIfCancelled(signal)
  return {
    outputs: Object.fromEntries(
      Object.entries(readings).map(([name, reading]) => [
        name,
        targets.map((_, at) =>
          Object.fromEntries(
            Object.keys(reading.outputs).map((output) => [
              output,
              row(answered(answer.computed, named(name, output)), at),
            ]),
          ),
        ),
      ]),
    ),
    logits: targets.map((_, at) => row(answered(answer.values, model.logits), at)),
  }
}

export interface ReadOnce {
  /** Of the reading, without a batch axis. */
  readonly outputs: Readonly<Record<string, FloatTensor>>
  /** [K] */
  readonly logits: FloatTensor
  /** With the predicted class filled in. */
  readonly target: Target
}

/** A reading of the input that one question has answered among others, for the method that would ask it by itself. */
export interface ReadAhead {
  /** The input's own: at any other, nothing was read. */
  readonly feeds: Rows['feeds']
  readonly reading: Reading
  readonly found: ReadOnce
}

/** The same numbers are asked for: of two readings by one method with the same parameters, whose tensors are made anew. */
function sameQuestion({ feeds, reading }: ReadAhead, asked: Reading, at: Rows['feeds']): boolean {
  const stated = ({ outputs, target, shared = {}, rules }: Reading): string =>
    JSON.stringify([outputs, target, Object.keys(shared), rules?.id, rules?.params, rules?.byTap, rules?.reference === undefined]) // prettier-ignore
  return feeds === at && stated(reading) === stated(asked)
}

/** One reading of the input itself; no question where it was read ahead. */
export async function readOnce(
  context: Pick<RunContext, 'model' | 'head' | 'signal' | 'readAhead'> & Pick<Rows, 'feeds'>,
  reading: Reading,
): Promise<ReadOnce> {
  const { readAhead } = context
  if (readAhead !== undefined && sameQuestion(readAhead, reading, context.feeds)) return readAhead.found
  const { target } = reading
  const { outputs, logits } = await readRows(context, { it: reading }, { feeds: context.feeds, targets: [target] })
  const [only] = outputs['it'] ?? []
  const [first] = logits
  if (only === undefined || first === undefined) throw new RangeError('no row')
  return { outputs: only, logits: first, target: settled(target, first.data) }
}

/** Each feed [1, ...] as [rows, ...]. */
export function repeated(feeds: Readonly<Record<string, Tensor>>, rows: number): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, repeatRow(tensor, rows)]))
}

/** The tap that a method with a place is asked at. */
export function tapIn({ tap }: Pick<RunContext, 'tap'>): Tap {
  if (tap !== null) return tap
  throw new AppError({ code: 'INTERNAL', message: 'a method without a place asked for its tap' })
}
