/**
 * A question of many rows as one question a row: for models whose answer for a row depends on the rows beside it (the scale
 * of a dynamically quantised tensor is that of the whole batch), and for those that take so many rows and no other number.
 */
import { AppError } from '../errors.ts'
import { row, sizeOf, type FloatTensor, type Tensor } from '../tensor/tensor.ts'
import { leavesOf, type Formula } from './formula.ts'
import type { Answer, Question } from './model.ts'

type Tensors<T extends Tensor> = Readonly<Record<string, T>>

/** Rows of what a question feeds; of the layers it replaces where it feeds nothing, and 1 where not even that. */
export function rowsOf({ feeds = {}, from = {}, formulas }: Question): number {
  const fed: readonly Tensor[] = [...Object.values(feeds), ...Object.values(formulas?.perRow ?? {})]
  const given = fed.length > 0 ? fed : Object.values(from)
  return given.reduce((most, { dims }) => Math.max(most, dims[0] ?? 1), 1)
}

/**
 * Asks row by row; each row stands `copies` times in its batch.
 * @throws AppError BAD_INPUT where a formula mixes rows
 */
export async function askRowByRow(
  question: Question,
  copies: number,
  ask: (question: Question) => Promise<Answer>,
): Promise<Answer> {
  checkApart(question)
  const rows = rowsOf(question)
  const answers: Answer[] = []
  for (let at = 0; at < rows; at += 1) answers.push(await ask(questionOf(question, { at, rows, copies })))
  const joined = (part: (answer: Answer) => Tensors<FloatTensor>): Record<string, FloatTensor> =>
    Object.fromEntries(
      Object.keys(part(answers[0] ?? NOTHING)).map((name) => [name, stacked(answers.map((one) => part(one)[name]))]),
    )
  const shared = Object.entries(question.formulas?.outputs ?? {}).filter(([, formula]) => !hasRows(formula, question))
  return {
    values: joined(({ values }) => values),
    gradients: joined(({ gradients }) => gradients),
    computed: {
      ...joined(({ computed }) => computed),
      ...Object.fromEntries(shared.flatMap(([name]) => answers.slice(0, 1).map((one) => [name, one.computed[name]]))),
    } as Answer['computed'],
  }
}

const NOTHING: Answer = { values: {}, gradients: {}, computed: {} }

interface Place {
  readonly at: number
  readonly rows: number
  readonly copies: number
}

/** The question of one row. What has one row for all of them keeps it. */
function questionOf(question: Question, place: Place): Question {
  const { feeds, from, gradient, formulas } = question
  const cut = <T extends Tensor>(tensors: Tensors<T> = {}): Record<string, T> =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, cutOut(tensor, place)]))
  const reference = gradient?.rules?.reference
  return {
    ...question,
    ...(feeds === undefined ? {} : { feeds: cut(feeds) }),
    ...(from === undefined ? {} : { from: cut(from) }),
    ...(gradient === undefined
      ? {}
      : {
          gradient: {
            ...gradient,
            of: Object.fromEntries(
              Object.entries(gradient.of).map(([name, one]) => [name, 'kind' in one ? one : cutOut(one, place)]),
            ),
            ...(gradient.rules === undefined || reference === undefined
              ? {}
              : {
                  rules: {
                    ...gradient.rules,
                    reference: {
                      ...(reference.feeds === undefined ? {} : { feeds: cut(reference.feeds) }),
                      ...(reference.from === undefined ? {} : { from: cut(reference.from) }),
                    },
                  },
                }),
          },
        }),
    ...(formulas === undefined ? {} : { formulas: { ...formulas, perRow: cut(formulas.perRow) } }),
  }
}

/** A row's part of a tensor, `copies` times. */
function cutOut<T extends Tensor>(tensor: T, { at, rows, copies }: Place): T {
  const [count = 1, ...rest] = tensor.dims
  const size = sizeOf(rest)
  const first = count === rows ? at * size : 0
  const data = tensor.data.slice(0, size * copies) as FloatTensor['data']
  const one = tensor.data.subarray(first, first + size) as FloatTensor['data']
  const whole = data.length === size * copies ? data : new (data.constructor as typeof Float32Array)(size * copies)
  for (let copy = 0; copy < copies; copy += 1) whole.set(one, copy * size)
  return { ...tensor, dims: [copies, ...rest], data: whole }
}

/** The first row of each, side by side. */
function stacked(tensors: readonly (FloatTensor | undefined)[]): FloatTensor {
  const firsts = tensors.flatMap((tensor) => (tensor === undefined ? [] : [row(tensor, 0)]))
  const dims = firsts[0]?.dims ?? []
  const size = sizeOf(dims)
  const data = new Float32Array(size * firsts.length)
  firsts.forEach((one, at) => {
    data.set(one.data, at * size)
  })
  return { type: 'float32', dims: [firsts.length, ...dims], data }
}

function hasRows(formula: Formula, { formulas }: Question): boolean {
  return leavesOf(formula).some((leaf) => leaf.kind !== 'given' || leaf.name in (formulas?.perRow ?? {}))
}

/** @throws AppError BAD_INPUT */
function checkApart(question: Question): void {
  for (const [name, formula] of Object.entries(question.formulas?.outputs ?? {}))
    if (hasRows(formula, question) && mixesRows(formula))
      throw new AppError({
        code: 'BAD_INPUT',
        message: `"${name}" is computed across rows, and this model can only be asked one row at a time.`,
      })
}

/** Whether it works along the first axis. */
function mixesRows(formula: Formula): boolean {
  switch (formula.kind) {
    case 'reduce':
      return formula.axes.includes(0) || mixesRows(formula.of)
    case 'along':
      return formula.axis === 0 || mixesRows(formula.of)
    case 'unary':
    case 'resize':
      return mixesRows(formula.of)
    case 'binary':
      return mixesRows(formula.left) || mixesRows(formula.right)
    case 'where':
      return [formula.condition, formula.then, formula.otherwise].some(mixesRows)
    default:
      return false
  }
}
