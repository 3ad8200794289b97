/** An ONNX model that answers questions: checks what is given, runs the compiled graph, hands tensors back. */
import type { Tensor as RuntimeTensor } from 'onnxruntime-node'
import { AppError } from '../../../errors.ts'
import { sizeOf, type FloatTensor, type Tensor } from '../../../tensor/tensor.ts'
import { leavesOf, type Leaf } from '../../formula.ts'
import { checkWidens, dimsOf, type Extents } from '../../formula-shape.ts'
import { computedWeights, givenIn } from '../../given.ts'
import { PLAIN_RULES } from '../../read-rule-set.ts'
import type {
  Answer,
  EngineInfo,
  ExplainableModel,
  LinearHead,
  Question,
  RuleSetInfo,
  Tap,
  TapId,
} from '../../model.ts'
import { Bending } from '../gradient/bending.ts'
import type { RuleSetDefinition } from '../gradient/rule-sets/rule-set.ts'
import { COMPUTED_COTANGENT, type FormulaPlan, type QuestionPlan } from '../question/compile.ts'
import { DataType, shapeIn, typeIn, type Graph, type Shape } from '../graph/graph.ts'
import { findLinearHead } from './linear-head.ts'
import { RuleGraphs } from './rule-graphs.ts'
import { toFloat, toRuntime, typeCode, typeName } from '../run/runtime.ts'
import { QuestionCache, type CacheSettings, type CompiledQuestion } from '../question/question-cache.ts'

export interface OnnxModelParts {
  readonly graph: Graph
  readonly taps: readonly Tap[]
  readonly logits: TapId
  readonly defaultTap: TapId
  readonly engine: EngineInfo
  readonly ruleSets: readonly RuleSetDefinition[]
  readonly settings: CacheSettings
}

function badInput(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

export class OnnxModel implements ExplainableModel {
  readonly engine: EngineInfo
  readonly taps: readonly Tap[]
  readonly inputs: readonly string[]
  readonly logits: TapId
  readonly defaultTap: TapId
  readonly #graph: Graph
  readonly #cache: QuestionCache
  readonly #ruleSets: readonly RuleSetDefinition[]
  readonly #known: ReadonlySet<string>
  #disposed = false

  constructor(parts: OnnxModelParts) {
    this.engine = parts.engine
    this.taps = parts.taps
    this.logits = parts.logits
    this.defaultTap = parts.defaultTap
    this.inputs = parts.graph.inputs.map((one) => one.name)
    this.#graph = parts.graph
    this.#ruleSets = parts.ruleSets
    const graphs = new RuleGraphs(parts.graph)
    this.#cache = new QuestionCache(({ rules }) => graphs.for(rules), parts.settings)
    this.#known = new Set(parts.taps.map((tap) => tap.id))
  }

  get ruleSets(): readonly RuleSetInfo[] {
    return this.#ruleSets
  }

  /** How many graphs were compiled so far. */
  get compiledQuestions(): number {
    return this.#cache.compiled
  }

  linearHead(tap: TapId): Promise<LinearHead | null> {
    this.#checkTaps([tap])
    return Promise.resolve(findLinearHead(this.#graph, tap, this.logits))
  }

  async ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    if (this.#disposed) throw new AppError({ code: 'INTERNAL', message: 'The model was disposed of.' })
    throwIfCancelled(signal)
    const plan = this.#plan(question)
    const asked = plan.read.length + plan.wrt.length + Object.keys(plan.formulas.outputs).length
    if (asked === 0) return { values: {}, gradients: {}, computed: {} }
    const own = this.#ownAnswer(plan, { ...question.feeds, ...question.from })
    if (own !== null) return own
    const answer = await this.#cache.with(plan, async (compiled) => {
      throwIfCancelled(signal)
      return this.#run(compiled, question, plan)
    })
    throwIfCancelled(signal)
    return answer
  }

  async dispose(): Promise<void> {
    this.#disposed = true
    await this.#cache.dispose()
  }

  #checkTaps(names: Iterable<string>): void {
    for (const name of names)
      if (!this.#known.has(name))
        throw new AppError({
          code: 'UNKNOWN_LAYER',
          message: `The model has no layer "${name}".`,
          details: { layer: name },
        })
  }

  #plan(question: Question): QuestionPlan {
    const replaced = Object.keys(question.from ?? {})
    const of = Object.keys(question.gradient?.of ?? {})
    const wrt = question.gradient?.wrt ?? []
    this.#checkTaps([...replaced, ...question.read, ...of, ...wrt])
    for (const name of Object.keys(question.feeds ?? {}))
      if (!this.inputs.includes(name))
        throw badInput(`The model has no input "${name}". It has ${this.inputs.join(', ')}.`)
    const rules = new Bending(question.gradient?.rules ?? PLAIN_RULES, this.#ruleSets)
    const { reference } = question.gradient?.rules ?? {}
    for (const name of Object.keys(reference?.feeds ?? {}))
      if (!this.inputs.includes(name))
        throw badInput(
          `The reference feeds "${name}", which is no input of the model. It has ${this.inputs.join(', ')}.`,
        )
    this.#checkTaps([...rules.taps, ...Object.keys(reference?.from ?? {})])
    const formulas = this.#formulaPlan(question)
    const leaves = Object.values(formulas.outputs).flatMap(leavesOf)
    if ((wrt.length > 0 || leaves.some((leaf) => leaf.kind === 'gradient')) && of.length === 0)
      throw badInput('A gradient needs an output to be the gradient of.')
    return { replaced, read: question.read, of, wrt, rules, formulas }
  }

  /** @throws AppError BAD_INPUT where formulas and tensors do not fit each other or the taps they are computed for. */
  #formulaPlan({ formulas = {}, gradient }: Question): FormulaPlan {
    const given = givenIn(formulas)
    const { inputs = {}, outputs = {} } = formulas
    const cotangents = computedWeights(gradient?.of)
    for (const [name, formula] of Object.entries(inputs)) {
      if (!this.inputs.includes(name)) this.#checkTaps([name])
      const type = typeIn(this.#graph, name) || DataType.float
      if (type !== DataType.float) throw badInput(`"${name}" takes ${typeName(type)}, a formula makes float32.`)
      const dims = dimsOf(formula, (leaf) => given.dimsOf(leaf))
      if (dims !== null) this.#checkShape(name, dims)
    }
    const shapeOf = (leaf: Leaf): Extents | null =>
      leaf.kind === 'given' ? given.dimsOf(leaf) : this.#shapeAt(leaf.tap)
    for (const [output, formula] of Object.entries(cotangents)) {
      const [dims, wanted] = [dimsOf(formula, shapeOf), this.#shapeAt(output)]
      if (dims !== null && wanted !== null) checkWidens(`The cotangent of "${output}"`, dims, wanted)
    }
    for (const formula of Object.values(outputs)) dimsOf(formula, shapeOf)
    return { given: given.shapes, inputs, cotangents, outputs }
  }

  /** Null where the rank is unknown. @throws AppError UNKNOWN_LAYER */
  #shapeAt(tap: TapId): Extents | null {
    this.#checkTaps([tap])
    const shape = shapeIn(this.#graph, tap)
    // The runtime says [] for an unknown rank too.
    return shape === null || shape.length === 0 ? null : shape.map((dim) => (typeof dim === 'number' ? dim : null))
  }

  /** The answer where everything asked for is given with the question; null where something has to be computed. */
  #ownAnswer({ read, wrt, formulas }: QuestionPlan, given: Readonly<Record<string, Tensor>>): Answer | null {
    if (wrt.length + Object.keys(formulas.outputs).length > 0 || read.some((tap) => given[tap] === undefined))
      return null
    const values = Object.fromEntries(read.map((tap) => [tap, this.#checked(tap, given[tap]) as FloatTensor]))
    return { values, gradients: {}, computed: {} }
  }

  async #run(compiled: CompiledQuestion, question: Question, plan: QuestionPlan): Promise<Answer> {
    const given: Record<string, Tensor> = { ...question.feeds, ...question.from }
    const feeds: Record<string, RuntimeTensor> = {}
    for (const name of compiled.feeds) feeds[name] = toRuntime(this.#checked(name, given[name]))
    for (const [output, name] of compiled.cotangents) {
      const weights = question.gradient?.of[output]
      if (weights !== undefined && !('kind' in weights)) feeds[name] = toRuntime(this.#checked(output, weights))
    }
    const { shared, perRow } = question.formulas ?? {}
    for (const [name, input] of compiled.given) {
      const tensor = perRow?.[name] ?? shared?.[name]
      if (tensor !== undefined) feeds[input] = toRuntime(tensor)
    }
    this.#feedReference(compiled, question, feeds)
    this.#checkRows(compiled, feeds)
    if (compiled.cotangents.size + Object.keys(plan.formulas.cotangents).length > 0)
      this.#checkSymbols(compiled.feeds, feeds)
    let results: Readonly<Record<string, unknown>> = {}
    const fetches = [
      ...new Set([...compiled.reads.values(), ...compiled.gradients.values(), ...compiled.computed.values()]),
    ]
    try {
      if (fetches.length > 0) results = await compiled.session.run(feeds, fetches)
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      const subject = message.includes(COMPUTED_COTANGENT)
        ? 'A cotangent does not fit its output'
        : 'The model does not run on this input'
      throw new AppError({ code: 'BAD_INPUT', message: `${subject}: ${message}`, cause })
    }
    const result = (name: string | undefined): FloatTensor => toFloat(results[name ?? ''] as RuntimeTensor)
    const values: Record<TapId, FloatTensor> = {}
    for (const tap of plan.read) {
      const own = given[tap]
      values[tap] = compiled.reads.has(tap) ? result(compiled.reads.get(tap)) : (this.#checked(tap, own) as FloatTensor)
    }
    const gradients: Record<TapId, FloatTensor> = {}
    for (const tap of plan.wrt) gradients[tap] = result(compiled.gradients.get(tap))
    const computed: Record<string, FloatTensor> = {}
    for (const [name, output] of compiled.computed) computed[name] = result(output)
    return { values, gradients, computed }
  }

  /** Each tensor of the reference has one row, or as many as the question. */
  #feedReference(
    { references, cotangents, feeds: own }: CompiledQuestion,
    { gradient }: Question,
    feeds: Record<string, RuntimeTensor>,
  ): void {
    const { feeds: inputs = {}, from = {} } = gradient?.rules?.reference ?? {}
    const [rows] = [...cotangents.values(), ...own].map((name) => feeds[name]?.dims[0])
    for (const [name, input] of references) {
      const tensor = this.#checked(name, from[name] ?? inputs[name])
      if (tensor.dims[0] !== 1 && rows !== undefined && tensor.dims[0] !== rows)
        throw badInput(
          `The reference of "${name}" has ${tensor.dims[0]} rows, the question ${rows}. Give one row, or as many.`,
        )
      feeds[input] = toRuntime(tensor)
    }
  }

  /** The compiled graph says so where several of its inputs have the same rows: then they must. */
  #checkRows({ sameRows }: CompiledQuestion, feeds: Readonly<Record<string, RuntimeTensor>>): void {
    const [first = '', ...others] = sameRows
    const rows = feeds[first]?.dims[0]
    for (const name of others) {
      const found = feeds[name]?.dims[0]
      if (found !== rows)
        throw badInput(`${spoken(first)} has ${rows} rows, ${spoken(name)} ${found}. Give as many of each.`)
    }
  }

  /** Extents that the file calls by one name are one in the gradient: ONNX Runtime would broadcast them instead. */
  #checkSymbols(names: readonly string[], feeds: Readonly<Record<string, RuntimeTensor>>): void {
    const known = new Map<string, { readonly name: string; readonly extent: number }>()
    // As declared: where the file has no name, extents that were equal in a probe may share one.
    for (const { name, shape } of this.#graph.inputs.filter((one) => names.includes(one.name)))
      for (const [axis, dim] of (shape ?? []).entries()) {
        const extent = feeds[name]?.dims[axis]
        if (typeof dim !== 'string' || extent === undefined) continue
        const first = known.get(dim) ?? { name, extent }
        known.set(dim, first)
        if (first.extent !== extent)
          throw badInput(
            `The model says "${dim}" of an extent of "${first.name}" and of "${name}", found ${first.extent} and ${extent}. For a gradient give as many of each.`,
          )
      }
  }

  /** A given tensor, once its type and its fixed extents are what the graph says. */
  #checked(name: string, tensor: Tensor | undefined): Tensor {
    if (tensor === undefined) throw badInput(`A value for "${name}" is missing.`)
    const type = typeIn(this.#graph, name) || DataType.float
    if (typeCode(tensor.type) !== type) throw badInput(`"${name}" takes ${typeName(type)}, found ${tensor.type}.`)
    this.#checkShape(name, tensor.dims)
    if (tensor.data.length !== sizeOf(tensor.dims))
      throw badInput(`"${name}" of shape [${tensor.dims.join(', ')}] holds ${tensor.data.length} values.`)
    return tensor
  }

  #checkShape(name: string, dims: Extents): void {
    const shape: Shape | null = this.#graph.values.get(name)?.shape ?? null
    const fits =
      shape === null ||
      shape.length === 0 || // the runtime says [] for an unknown rank too
      (shape.length === dims.length && shape.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis]))
    if (fits) return
    const wanted = shape.map((dim) => (typeof dim === 'number' ? dim : '?')).join(', ')
    throw badInput(`"${name}" takes the shape [${wanted}], found [${dims.join(', ')}].`)
  }
}

/** `the cotangent of "logits"`: how errors name an input of a compiled graph. */
function spoken(input: string): string {
  const [, role, name] = /^limelight:(cotangent|given)\/(.*)$/s.exec(input) ?? []
  return role === undefined ? `"${input}"` : role === 'cotangent' ? `the cotangent of "${name}"` : `"${name}"`
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
}
