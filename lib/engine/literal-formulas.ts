/** Formulas for an engine that only reads, replaces and differentiates: they are interpreted around its question. */
import type { FloatTensor } from '../tensor/tensor.ts'
import { leavesOf, type Formula, type Leaf } from './formula.ts'
import { checkWidens } from './formula-shape.ts'
import { computedWeights, givenIn } from './given.ts'
import { interpret, widened } from './interpret.ts'
import type { Answer, Question } from './model.ts'
import type { TapId } from './tap-id.ts'

/** Weights of an output in the scalar, made of what taps hold in the same run. */
export interface LateWeights {
  /** The taps whose values it takes. */
  readonly reads: readonly TapId[]
  /** In the output's shape. @throws AppError BAD_INPUT where the formula and the values do not fit. */
  from(value: (tap: TapId) => FloatTensor): FloatTensor
}

/** A question without formulas, and its answer. */
export interface PlainQuestion<Weights = FloatTensor> extends Omit<Question, 'formulas' | 'gradient'> {
  readonly gradient?: Omit<NonNullable<Question['gradient']>, 'of'> & { readonly of: Readonly<Record<TapId, Weights>> }
}
export type PlainAnswer = Omit<Answer, 'computed'>

/**
 * Answers a question with formulas through one without; where a formula makes a cotangent, through two, of which the first
 * reads what that is made of.
 * @param inputs names of the model's inputs; other tensors that formulas make replace taps
 * @throws AppError BAD_INPUT where formulas and tensors do not fit; whatever `ask` throws
 */
export function askLiterally(
  question: Question,
  inputs: readonly string[],
  ask: (question: PlainQuestion) => Promise<PlainAnswer>,
): Promise<Answer> {
  return askWithLateWeights(question, inputs, async ({ gradient, ...plain }) => {
    if (gradient === undefined) return ask(plain)
    const late = Object.values(gradient.of).flatMap((weights) => ('from' in weights ? weights.reads : []))
    const values: Answer['values'] = late.length === 0 ? {} : (await ask({ ...plain, read: [...new Set(late)] })).values
    const of = Object.entries(gradient.of).map(
      ([output, weights]) => [output, weightsAmong(weights, (tap) => values[tap] as FloatTensor)] as const,
    )
    return ask({ ...plain, gradient: { ...gradient, of: Object.fromEntries(of) } })
  })
}

/** The weights of an output, once the values of taps are known. */
export function weightsAmong(weights: FloatTensor | LateWeights, value: (tap: TapId) => FloatTensor): FloatTensor {
  return 'from' in weights ? weights.from(value) : weights
}

/** As {@link askLiterally}, for an engine that can compute weights between its passes forward and back: one question. */
export async function askWithLateWeights(
  { formulas = {}, gradient, ...question }: Question,
  inputs: readonly string[],
  ask: (question: PlainQuestion<FloatTensor | LateWeights>) => Promise<PlainAnswer>,
): Promise<Answer> {
  const given = givenIn(formulas)
  const made = Object.entries(formulas.inputs ?? {}).map(
    ([name, formula]) => [name, interpret(formula, (leaf) => given.tensorOf(leaf))] as const,
  )
  const outputs = Object.entries(formulas.outputs ?? {})
  const leaves = outputs.flatMap(([, formula]) => leavesOf(formula))
  const taps = (kind: 'value' | 'gradient'): TapId[] => leaves.flatMap((leaf) => (leaf.kind === kind ? [leaf.tap] : []))
  const wrt = gradient?.wrt ?? []
  /** Where leaf tensors come from. */
  const from =
    (value: (tap: TapId) => FloatTensor, gradients: Answer['gradients'] = {}) =>
    (leaf: Leaf): FloatTensor => {
      if (leaf.kind === 'given') return given.tensorOf(leaf)
      return leaf.kind === 'value' ? value(leaf.tap) : (gradients[leaf.tap] as FloatTensor)
    }
  const late = Object.entries(computedWeights(gradient?.of)).map(
    ([output, formula]) => [output, lateWeights(output, formula, from)] as const,
  )
  const of = { ...gradient?.of, ...Object.fromEntries(late) } as Record<TapId, FloatTensor | LateWeights>
  const { values, gradients } = await ask({
    feeds: { ...question.feeds, ...Object.fromEntries(made.filter(([name]) => inputs.includes(name))) },
    from: { ...question.from, ...Object.fromEntries(made.filter(([name]) => !inputs.includes(name))) },
    read: [...new Set([...question.read, ...taps('value')])],
    ...(wrt.length + taps('gradient').length === 0
      ? {}
      : { gradient: { ...gradient, of, wrt: [...new Set([...wrt, ...taps('gradient')])] } }),
  })
  const leafValue = from((tap) => values[tap] as FloatTensor, gradients)
  return {
    values: only(values, question.read),
    gradients: only(gradients, wrt),
    computed: Object.fromEntries(outputs.map(([name, formula]) => [name, interpret(formula, leafValue)])),
  }
}

function lateWeights(
  output: TapId,
  formula: Formula,
  from: (value: (tap: TapId) => FloatTensor) => (leaf: Leaf) => FloatTensor,
): LateWeights {
  const read = leavesOf(formula).flatMap((leaf) => (leaf.kind === 'value' ? [leaf.tap] : []))
  return {
    reads: [...new Set([output, ...read])],
    from(value) {
      const [weights, { dims }] = [interpret(formula, from(value)), value(output)]
      checkWidens(`The cotangent of "${output}"`, weights.dims, dims)
      return widened(weights, dims)
    },
  }
}

function only(tensors: Answer['values'], names: readonly TapId[]): Answer['values'] {
  return Object.fromEntries(names.map((name) => [name, tensors[name] as FloatTensor]))
}
