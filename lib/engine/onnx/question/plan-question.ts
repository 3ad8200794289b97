/** What a question asks, by names and shapes: everything that decides its graph, checked. */
import { AppError } from '../../../errors.ts'
import { checkWidens, dimsOf, type Extents } from '../../formula-shape.ts'
import { leavesOf, type Leaf } from '../../formula.ts'
import { computedWeights, givenIn } from '../../given.ts'
import type { Question, RuleSet } from '../../model.ts'
import type { TapId } from '../../tap-id.ts'
import { Bending, PLAIN } from '../gradient/bending.ts'
import type { RuleSetDefinition } from '../gradient/rule-sets/rule-set.ts'
import { DataType, shapeIn, typeIn, type Graph } from '../graph/graph.ts'
import { typeName } from '../run/runtime.ts'
import type { FormulaPlan, QuestionPlan } from './compile.ts'
import { badInput, checkShape } from './feeds.ts'

/** The model that is asked. */
export interface Asked {
  readonly graph: Graph
  readonly inputs: readonly string[]
  readonly taps: ReadonlySet<TapId>
  readonly ruleSets: readonly RuleSetDefinition[]
}

/** @throws AppError UNKNOWN_LAYER */
export function checkTaps({ taps }: Asked, names: Iterable<string>): void {
  for (const name of names)
    if (!taps.has(name))
      throw new AppError({
        code: 'UNKNOWN_LAYER',
        message: `The model has no layer "${name}".`,
        details: { layer: name },
      })
}

/** @throws AppError UNKNOWN_LAYER, BAD_PARAMETER for a rule set's, BAD_INPUT where names, formulas and tensors do not fit each other. */
export function planQuestion(asked: Asked, question: Question): QuestionPlan {
  const { inputs, ruleSets } = asked
  const replaced = Object.keys(question.from ?? {})
  const of = Object.keys(question.gradient?.of ?? {})
  const wrt = question.gradient?.wrt ?? []
  checkTaps(asked, [...replaced, ...question.read, ...of, ...wrt])
  for (const name of Object.keys(question.feeds ?? {}))
    if (!inputs.includes(name)) throw badInput(`The model has no input "${name}". It has ${inputs.join(', ')}.`)
  const bent = question.gradient?.rules
  const rules = bent === undefined ? PLAIN : new Bending(atTensors(asked, bent), ruleSets)
  const { reference } = question.gradient?.rules ?? {}
  for (const name of Object.keys(reference?.feeds ?? {}))
    if (!inputs.includes(name))
      throw badInput(`The reference feeds "${name}", which is no input of the model. It has ${inputs.join(', ')}.`)
  checkTaps(asked, [...rules.taps, ...Object.keys(reference?.from ?? {})])
  const formulas = formulaPlan(asked, question)
  const leaves = Object.values(formulas.outputs).flatMap(leavesOf)
  if ((wrt.length > 0 || leaves.some((leaf) => leaf.kind === 'gradient')) && of.length === 0)
    throw badInput('A gradient needs an output to be the gradient of.')
  return { replaced, read: question.read, of, wrt, rules, formulas }
}

/** A choice for a map, or for weights inside an operator, is meant for the operator that makes what the map shows. */
function atTensors({ graph }: Asked, rules: RuleSet): RuleSet {
  const { byTap } = rules
  if (byTap === undefined) return rules
  const madeBy = (tap: TapId): TapId => graph.maps?.get(tap)?.of ?? graph.attention?.get(tap)?.inside?.tensor ?? tap
  const named = Object.entries(byTap).map(([tap, choice]) => [madeBy(tap), choice] as const)
  return { ...rules, byTap: Object.fromEntries(named) }
}

/** @throws AppError BAD_INPUT where formulas and tensors do not fit each other or the taps they are computed for. */
function formulaPlan(asked: Asked, { formulas = {}, gradient }: Question): FormulaPlan {
  const given = givenIn(formulas)
  const { inputs = {}, outputs = {} } = formulas
  const cotangents = computedWeights(gradient?.of)
  for (const [name, formula] of Object.entries(inputs)) {
    if (!asked.inputs.includes(name)) checkTaps(asked, [name])
    const type = typeIn(asked.graph, name) || DataType.float
    if (type !== DataType.float) throw badInput(`"${name}" takes ${typeName(type)}, a formula makes float32.`)
    const dims = dimsOf(formula, (leaf) => given.dimsOf(leaf))
    if (dims !== null) checkShape(asked.graph, name, dims)
  }
  const shapeOf = (leaf: Leaf): Extents | null =>
    leaf.kind === 'given' ? given.dimsOf(leaf) : shapeAt(asked, leaf.tap)
  for (const [output, formula] of Object.entries(cotangents)) {
    const [dims, wanted] = [dimsOf(formula, shapeOf), shapeAt(asked, output)]
    if (dims !== null && wanted !== null) checkWidens(`The cotangent of "${output}"`, dims, wanted)
  }
  for (const formula of Object.values(outputs)) dimsOf(formula, shapeOf)
  return { given: given.shapes, inputs, cotangents, outputs }
}

/** Null where the rank is unknown. @throws AppError UNKNOWN_LAYER */
function shapeAt(asked: Asked, tap: TapId): Extents | null {
  checkTaps(asked, [tap])
  const shape = shapeIn(asked.graph, tap)
  // The runtime says [] for an unknown rank too.
  return shape === null || shape.length === 0 ? null : shape.map((dim) => (typeof dim === 'number' ? dim : null))
}
