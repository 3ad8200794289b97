/**
 * Variations of one input, made where the model runs: masks, points of a path, noise. A row is stated by the few numbers in
 * which it differs, and asked for in batches; of the answers only a scalar a row stays, or one sum over all of them.
 *
 * Letters: N rows of a batch, K classes.
 */
import { gradient, sum, type Formula } from '../../engine/formula.ts'
import type { Question, RuleSet } from '../../engine/model.ts'
import type { TapId } from '../../engine/tap-id.ts'
import { scalarReader, stateScalar, type Head } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import { row, type FloatTensor, type Tensor } from '../../tensor/tensor.ts'
import { answered, answersInBatches, type Asking, type Batch } from './batches.ts'

export interface MadeRows {
  /** The model's input, or the tap, that they stand in place of. */
  readonly place: TapId
  readonly total: number
  /** The rows of a batch, [N, ...], of the tensors below. */
  readonly at: Formula
  /** The same for every row: [1, ...]. */
  readonly shared: Readonly<Record<string, FloatTensor>>
  /** Made when it is the batch's turn: [N, ...]. */
  readonly perRow: (batch: Batch) => Readonly<Record<string, FloatTensor>>
  /** The model's other inputs for so many rows, where it has any before this place. */
  readonly feeds?: (count: number) => Readonly<Record<string, Tensor>>
}

/** What is explained. The class is settled: left to the model, each row would have its own. */
export interface Explaining extends Asking {
  readonly head: Head
  readonly target: Target
}

function questionOf({ place, at, shared, perRow, feeds }: MadeRows, batch: Batch) {
  return {
    ...(feeds === undefined ? {} : { feeds: feeds(batch.count) }),
    formulas: { shared, perRow: perRow(batch), inputs: { [place]: at } },
  } satisfies Partial<Question>
}

/** The target's scalar of each row, in double precision, a batch at a time: one forward pass from the place on. */
export async function* scalarsOfRows(
  asking: Explaining,
  rows: MadeRows,
  perQuestion: number,
): AsyncGenerator<Batch & { readonly scalars: readonly number[] }, void, undefined> {
  const { head, target } = asking
  const scalar = scalarReader(target, head)
  const answers = answersInBatches(asking, { total: rows.total, perQuestion }, (batch) => ({
    ...questionOf(rows, batch),
    read: [head.logits],
  }))
  for await (const { answer, ...batch } of answers) {
    const logits = answered(answer.values, head.logits) // [N, K]
    const scalars = Array.from({ length: batch.count }, (_, at) => scalar(row(logits, at).data))
    yield { ...batch, scalars }
  }
}

/** As {@link scalarsOfRows}, all of them. */
export async function everyScalar(asking: Explaining, rows: MadeRows, perQuestion: number): Promise<Float64Array> {
  const all = new Float64Array(rows.total)
  for await (const { first, scalars } of scalarsOfRows(asking, rows, perQuestion)) all.set(scalars, first)
  return all
}

/** What is computed of each row and summed over all of them. */
export interface Summed {
  /** [N, ...] each, of gradients, values and the tensors that the rows name. */
  readonly each: Readonly<Record<string, Formula>>
  /** Further tensors that these name, [1, ...]. */
  readonly shared?: Readonly<Record<string, FloatTensor>>
  readonly rules?: RuleSet
}

/**
 * Sums over all rows; those over a batch are made in its question, and between batches in double precision.
 * @returns under the same names, in the shape of one row, flat
 */
export async function sumsOverRows<Name extends string>(
  asking: Explaining,
  rows: MadeRows,
  perQuestion: number,
  summed: Summed & { readonly each: Readonly<Record<Name, Formula>> },
): Promise<Readonly<Record<Name, Float64Array>>> {
  const { head, target } = asking
  const names = Object.keys(summed.each) as Name[]
  const outputs = Object.fromEntries(names.map((name) => [name, sum(summed.each[name], [0])]))
  const totals = new Map<Name, Float64Array>()
  const answers = answersInBatches(asking, { total: rows.total, perQuestion }, (batch) => {
    const stated = stateScalar(target, head, batch.count)
    const { formulas, ...question } = questionOf(rows, batch)
    return {
      ...question,
      read: [head.logits],
      gradient: { of: stated.of, wrt: [], ...(summed.rules === undefined ? {} : { rules: summed.rules }) },
      formulas: {
        ...formulas,
        shared: { ...formulas.shared, ...summed.shared },
        perRow: { ...formulas.perRow, ...stated.perRow },
        outputs,
      },
    }
  })
  for await (const { answer } of answers)
    for (const name of names) {
      const { data } = answered(answer.computed, name)
      const total = totals.get(name) ?? new Float64Array(data.length)
      totals.set(name, total)
      for (let at = 0; at < data.length; at++) total[at] = (total[at] as number) + (data[at] as number)
    }
  return Object.fromEntries(names.map((name) => [name, totals.get(name) ?? new Float64Array()])) as Record<
    Name,
    Float64Array
  >
}

/**
 * Sum over all rows of what is computed of each one's gradient at its place.
 * @param each of the gradient [N, ...] and the tensors that the rows name
 * @returns in the shape of one row of `each`, flat
 */
export async function summedOverRows(
  asking: Explaining,
  rows: MadeRows,
  perQuestion: number,
  each: (gradient: Formula) => Formula = (slope) => slope,
): Promise<Float64Array> {
  return (await sumsOverRows(asking, rows, perQuestion, { each: { summed: each(gradient(rows.place)) } })).summed
}
