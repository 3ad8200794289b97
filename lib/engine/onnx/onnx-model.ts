/** An ONNX model that answers questions: checks what is given, runs the compiled graph, hands tensors back. */
import type { Tensor as RuntimeTensor } from 'onnxruntime-node'
import { AppError } from '../../errors.ts'
import { sizeOf, type FloatTensor, type Tensor } from '../../tensor/tensor.ts'
import type { Answer, EngineInfo, ExplainableModel, LinearHead, Question, Tap, TapId } from '../model.ts'
import type { QuestionPlan } from './compile.ts'
import { DataType, typeIn, type Graph, type Shape } from './graph.ts'
import { findLinearHead } from './linear-head.ts'
import { toFloat, toRuntime, typeCode, typeName } from './runtime.ts'
import { QuestionCache, type CacheSettings, type CompiledQuestion } from './session.ts'

export interface OnnxModelParts {
  readonly graph: Graph
  readonly taps: readonly Tap[]
  readonly logits: TapId
  readonly defaultTap: TapId
  readonly engine: EngineInfo
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
  readonly #known: ReadonlySet<string>
  #disposed = false

  constructor(parts: OnnxModelParts) {
    this.engine = parts.engine
    this.taps = parts.taps
    this.logits = parts.logits
    this.defaultTap = parts.defaultTap
    this.inputs = parts.graph.inputs.map((one) => one.name)
    this.#graph = parts.graph
    this.#cache = new QuestionCache(parts.graph, parts.settings)
    this.#known = new Set(parts.taps.map((tap) => tap.id))
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
    if (plan.read.length + plan.wrt.length === 0) return { values: {}, gradients: {} }
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
    if (wrt.length > 0 && of.length === 0) throw badInput('A gradient needs an output to be the gradient of.')
    return { replaced, read: question.read, of, wrt, rules: question.gradient?.rules ?? 'plain' }
  }

  async #run(compiled: CompiledQuestion, question: Question, plan: QuestionPlan): Promise<Answer> {
    const given: Record<string, Tensor> = { ...question.feeds, ...question.from }
    const feeds: Record<string, RuntimeTensor> = {}
    for (const name of compiled.feeds) feeds[name] = toRuntime(this.#checked(name, given[name]))
    for (const [output, name] of compiled.cotangents)
      feeds[name] = toRuntime(this.#checked(output, question.gradient?.of[output]))
    this.#checkRows(compiled, feeds)
    let results: Readonly<Record<string, unknown>> = {}
    const fetches = [...new Set([...compiled.reads.values(), ...compiled.gradients.values()])]
    try {
      if (fetches.length > 0) results = await compiled.session.run(feeds, fetches)
    } catch (cause) {
      throw new AppError({
        code: 'BAD_INPUT',
        message: `The model does not run on this input: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      })
    }
    const result = (name: string | undefined): FloatTensor => toFloat(results[name ?? ''] as RuntimeTensor)
    const values: Record<TapId, FloatTensor> = {}
    for (const tap of plan.read) {
      const own = given[tap]
      values[tap] = compiled.reads.has(tap) ? result(compiled.reads.get(tap)) : (this.#checked(tap, own) as FloatTensor)
    }
    const gradients: Record<TapId, FloatTensor> = {}
    for (const tap of plan.wrt) gradients[tap] = result(compiled.gradients.get(tap))
    return { values, gradients }
  }

  /** The compiled graph says so where a tensor and a cotangent have the same rows: then they must. */
  #checkRows({ rowsOf, cotangents }: CompiledQuestion, feeds: Readonly<Record<string, RuntimeTensor>>): void {
    if (rowsOf === null) return
    const wanted = feeds[rowsOf.feed]?.dims[0]
    for (const output of rowsOf.outputs) {
      const given = feeds[cotangents.get(output) ?? '']?.dims[0]
      if (given !== wanted)
        throw badInput(
          `"${rowsOf.feed}" has ${wanted} rows, the cotangent of "${output}" ${given}. Give as many of each.`,
        )
    }
  }

  /** A given tensor, once its type and its fixed extents are what the graph says. */
  #checked(name: string, tensor: Tensor | undefined): Tensor {
    if (tensor === undefined) throw badInput(`A value for "${name}" is missing.`)
    const type = typeIn(this.#graph, name) || DataType.float
    if (typeCode(tensor.type) !== type) throw badInput(`"${name}" takes ${typeName(type)}, found ${tensor.type}.`)
    const shape: Shape | null = this.#graph.values.get(name)?.shape ?? null
    const fits =
      shape === null ||
      shape.length === 0 || // the runtime says [] for an unknown rank too
      (shape.length === tensor.dims.length &&
        shape.every((dim, axis) => typeof dim !== 'number' || dim === tensor.dims[axis]))
    if (!fits || tensor.data.length !== sizeOf(tensor.dims))
      throw badInput(
        `"${name}" takes the shape [${(shape ?? []).map((dim) => (typeof dim === 'number' ? dim : '?')).join(', ')}], found [${tensor.dims.join(', ')}].`,
      )
    return tensor
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError({ code: 'CANCELLED', message: 'The run was cancelled.' })
}
