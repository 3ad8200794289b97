/** Formulas for an engine that only reads, replaces and differentiates: they are interpreted before and behind its question. */
import type { FloatTensor } from '../tensor/tensor.ts'
import { leavesOf, type Leaf } from './formula.ts'
import { givenIn } from './given.ts'
import { interpret } from './interpret.ts'
import type { Answer, Question, TapId } from './model.ts'

/** A question without formulas, and its answer. */
export type PlainQuestion = Omit<Question, 'formulas'>
export type PlainAnswer = Omit<Answer, 'computed'>

/**
 * Answers a question with formulas through one without.
 * @param inputs names of the model's inputs; other tensors that formulas make replace taps
 * @throws AppError BAD_INPUT where formulas and tensors do not fit; whatever `ask` throws
 */
export async function askLiterally(
  { formulas = {}, ...question }: Question,
  inputs: readonly string[],
  ask: (question: PlainQuestion) => Promise<PlainAnswer>,
): Promise<Answer> {
  const given = givenIn(formulas)
  const made = Object.entries(formulas.inputs ?? {}).map(
    ([name, formula]) => [name, interpret(formula, (leaf) => given.tensorOf(leaf))] as const,
  )
  const outputs = Object.entries(formulas.outputs ?? {})
  const leaves = outputs.flatMap(([, formula]) => leavesOf(formula))
  const taps = (kind: 'value' | 'gradient'): TapId[] => leaves.flatMap((leaf) => (leaf.kind === kind ? [leaf.tap] : []))
  const wrt = question.gradient?.wrt ?? []
  const { values, gradients } = await ask({
    feeds: { ...question.feeds, ...Object.fromEntries(made.filter(([name]) => inputs.includes(name))) },
    from: { ...question.from, ...Object.fromEntries(made.filter(([name]) => !inputs.includes(name))) },
    read: [...new Set([...question.read, ...taps('value')])],
    ...(wrt.length + taps('gradient').length === 0
      ? {}
      : { gradient: { of: {}, ...question.gradient, wrt: [...new Set([...wrt, ...taps('gradient')])] } }),
  })
  const leafValue = (leaf: Leaf): FloatTensor => {
    if (leaf.kind === 'given') return given.tensorOf(leaf)
    return (leaf.kind === 'value' ? values : gradients)[leaf.tap] as FloatTensor
  }
  return {
    values: only(values, question.read),
    gradients: only(gradients, wrt),
    computed: Object.fromEntries(outputs.map(([name, formula]) => [name, interpret(formula, leafValue)])),
  }
}

function only(tensors: Answer['values'], names: readonly TapId[]): Answer['values'] {
  return Object.fromEntries(names.map((name) => [name, tensors[name] as FloatTensor]))
}
