/** An ONNX model that answers questions: plans one, feeds and runs its compiled graph, hands tensors back. */
import type { Tensor as RuntimeTensor } from 'onnxruntime-node'
import { AppError, throwIfCancelled } from '../../../errors.ts'
import type { FloatTensor, Tensor, TensorType } from '../../../tensor/tensor.ts'
import type { Link, LinkBasis } from '../../head.ts'
import type {
  Answer,
  LayerBias,
  EngineInfo,
  ExplainableModel,
  LinearHead,
  ModelInput,
  Question,
  RuleSetInfo,
  Tap,
} from '../../model.ts'
import type { Refusal } from '../../refusal.ts'
import type { TapId } from '../../tap-id.ts'
import { askRowByRow, rowsOf } from '../../row-by-row.ts'
import type { RuleSetDefinition } from '../gradient/rule-sets/rule-set.ts'
import { publicShape, type Graph, type ValueInfo } from '../graph/graph.ts'
import { COMPUTED_COTANGENT, tensorsNamed, type QuestionPlan } from '../question/compile.ts'
import { checkedTensor, feedsFor } from '../question/feeds.ts'
import { checkTaps, planQuestion, type Asked } from '../question/plan-question.ts'
import { QuestionCache, type CacheSettings, type CompiledQuestion } from '../question/question-cache.ts'
import { toFloat, typeCode } from '../run/runtime.ts'
import { findBiases } from './biases.ts'
import { findLinearHead } from './linear-head.ts'
import { refusalsOf } from './refusals.ts'
import { fixedRows, isBatchDependent } from './rows.ts'
import { RuleGraphs } from './rule-graphs.ts'

export interface OnnxModelParts {
  readonly graph: Graph
  readonly taps: readonly Tap[]
  readonly logits: TapId
  readonly link: Link
  readonly linkBasis: LinkBasis
  readonly defaultTap: TapId
  readonly engine: EngineInfo
  readonly ruleSets: readonly RuleSetDefinition[]
  readonly settings: CacheSettings
}

export class OnnxModel implements ExplainableModel {
  readonly engine: EngineInfo
  readonly taps: readonly Tap[]
  readonly inputs: readonly string[]
  readonly inputInfo: readonly ModelInput[]
  readonly logits: TapId
  readonly link: Link
  readonly linkBasis: LinkBasis
  readonly defaultTap: TapId
  readonly #asked: Asked
  readonly #cache: QuestionCache
  readonly batchDependent: boolean
  /** Rows of every batch, where the graph fixes them. */
  readonly #rows: number | null
  #disposed = false

  constructor(parts: OnnxModelParts) {
    this.engine = parts.engine
    this.taps = parts.taps
    this.logits = parts.logits
    this.link = parts.link
    this.linkBasis = parts.linkBasis
    this.defaultTap = parts.defaultTap
    this.inputs = parts.graph.inputs.map((one) => one.name)
    this.inputInfo = parts.graph.inputs.map(inputInfo)
    this.batchDependent = isBatchDependent(parts.graph)
    this.#rows = fixedRows(parts.graph)
    const graphs = new RuleGraphs(parts.graph)
    this.#cache = new QuestionCache((plan) => graphs.for(plan.rules, tensorsNamed(plan)), parts.settings)
    const taps = new Set(parts.taps.map((tap) => tap.id))
    this.#asked = { graph: parts.graph, inputs: this.inputs, taps, ruleSets: parts.ruleSets }
  }

  get ruleSets(): readonly RuleSetInfo[] {
    return this.#asked.ruleSets
  }

  /** How many graphs were compiled so far. */
  get compiledQuestions(): number {
    return this.#cache.compiled
  }

  linearHead(tap: TapId): Promise<LinearHead | null> {
    checkTaps(this.#asked, [tap])
    return Promise.resolve(findLinearHead(this.#asked.graph, tap, this.logits))
  }

  refusals(rules: RuleSetInfo['id']): Promise<readonly Refusal[]> {
    const { graph, taps, ruleSets } = this.#asked
    return refusalsOf(graph, this.logits, [...taps], rules, ruleSets)
  }

  layerBiases(): Promise<readonly LayerBias[]> {
    return Promise.resolve(findBiases(this.#asked.graph, this.logits))
  }

  async ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    if (this.#disposed) throw new AppError({ code: 'INTERNAL', message: 'The model was disposed of.' })
    throwIfCancelled(signal)
    const rows = rowsOf(question)
    if (rows !== (this.#rows ?? rows) || (rows > 1 && this.batchDependent && this.#rows === null))
      return askRowByRow(question, this.#rows ?? 1, (one) => this.ask(one, signal))
    const plan = planQuestion(this.#asked, question)
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

  /** The answer where everything asked for is given with the question; null where something has to be computed. */
  #ownAnswer({ read, wrt, formulas }: QuestionPlan, given: Readonly<Record<string, Tensor>>): Answer | null {
    if (wrt.length + Object.keys(formulas.outputs).length > 0 || read.some((tap) => given[tap] === undefined))
      return null
    const values = Object.fromEntries(
      read.map((tap) => [tap, checkedTensor(this.#asked.graph, tap, given[tap]) as FloatTensor]),
    )
    return { values, gradients: {}, computed: {} }
  }

  async #run(compiled: CompiledQuestion, question: Question, plan: QuestionPlan): Promise<Answer> {
    const given: Record<string, Tensor> = { ...question.feeds, ...question.from }
    const feeds = feedsFor(this.#asked.graph, compiled, question)
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
      values[tap] = compiled.reads.has(tap)
        ? result(compiled.reads.get(tap))
        : (checkedTensor(this.#asked.graph, tap, own) as FloatTensor)
    }
    const gradients: Record<TapId, FloatTensor> = {}
    for (const tap of plan.wrt) gradients[tap] = result(compiled.gradients.get(tap))
    const computed: Record<string, FloatTensor> = {}
    for (const [name, output] of compiled.computed) computed[name] = result(output)
    return { values, gradients, computed }
  }
}

const FED: readonly TensorType[] = ['float32', 'int64', 'int32', 'bool']

/** float32 where the file does not say: what questions are fed there. */
function inputInfo({ name, type, shape }: ValueInfo): ModelInput {
  const stated = FED.find((one) => typeCode(one) === type) ?? 'float32'
  return { name, type: stated, ...(shape === null ? {} : { dims: publicShape(shape) }) }
}
