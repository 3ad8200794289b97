/** A LayersModel that answers questions. */
import type * as tf from '@tensorflow/tfjs'
import { AppError } from '../../errors.ts'
import { zeros, type FloatTensor, type Tensor } from '../../tensor/tensor.ts'
import { askWithLateWeights, type LateWeights, type PlainAnswer, type PlainQuestion } from '../literal-formulas.ts'
import type { Link, LinkBasis } from '../head.ts'
import type {
  Answer,
  EngineInfo,
  ExplainableModel,
  LinearHead,
  ModelInput,
  Question,
  RuleSetInfo,
  Tap,
} from '../model.ts'
import type { TapId } from '../tap-id.ts'
import { PLAIN_RULES } from '../read-rule-set.ts'
import { evaluate, type LateTensor } from './evaluate.ts'
import { outerShape, toInside, toOutside } from './layout.ts'
import { linearHeadOf } from './linear-head.ts'
import { planOf, type Plan } from './plan.ts'
import type { Program, Slot } from './program.ts'
import { rectifierRules, RULE_SETS } from './rule-sets.ts'
import { sensibleDefault, tapsOf } from './taps.ts'

function badInput(message: string): AppError {
  return new AppError({ code: 'BAD_INPUT', message })
}

function shown(shape: readonly (number | null)[]): string {
  return `[${shape.map((dim) => dim ?? 'N').join(', ')}]`
}

export class TfjsModel implements ExplainableModel {
  readonly taps: readonly Tap[]
  readonly inputs: readonly string[]
  readonly inputInfo: readonly ModelInput[]
  readonly logits: TapId
  readonly link: Link
  readonly linkBasis: LinkBasis
  readonly defaultTap: TapId
  readonly ruleSets: readonly RuleSetInfo[] = RULE_SETS
  private readonly slotOf: ReadonlyMap<TapId, Slot>
  private readonly idsOf = new Map<Slot, TapId[]>()
  private disposed = false

  constructor(
    readonly engine: EngineInfo,
    private readonly keras: tf.LayersModel,
    private readonly program: Program,
    defaultTap: TapId,
  ) {
    this.taps = tapsOf(program)
    this.inputs = program.inputs.map(({ name }) => name)
    this.inputInfo = program.inputs.map(({ name, slot }) => {
      const { shape, dtype } = program.slots[slot] ?? { shape: [], dtype: 'float32' }
      const type = dtype === 'int32' || dtype === 'bool' ? dtype : 'float32'
      return { name, type, dims: outerShape(shape, program.channelsLast) }
    })
    this.slotOf = new Map(program.named.map(({ id, slot }) => [id, slot]))
    for (const { id, slot } of program.named) this.idsOf.set(slot, [...(this.idsOf.get(slot) ?? []), id])
    this.logits = program.logits.id
    this.link = program.link
    this.linkBasis = program.linkBasis
    this.defaultTap = defaultTap === '' ? sensibleDefault(this.taps) : defaultTap
    this.slot(this.defaultTap)
  }

  linearHead(tap: TapId): Promise<LinearHead | null> {
    return Promise.resolve(linearHeadOf(this.program, this.slot(tap)))
  }

  ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    return askWithLateWeights(question, this.inputs, (plain) => this.askPlainly(plain, signal))
  }

  private async askPlainly(
    question: PlainQuestion<FloatTensor | LateWeights>,
    signal?: AbortSignal,
  ): Promise<PlainAnswer> {
    if (this.disposed) throw new AppError({ code: 'INTERNAL', message: 'the model was disposed' })
    const { program } = this
    const rules = rectifierRules(question.gradient?.rules ?? PLAIN_RULES)
    for (const tap of rules.taps) this.slot(tap)
    const from = Object.entries(question.from ?? {}).map(([id, value]) => ({ id, slot: this.slot(id), value }))
    const weights = Object.entries(question.gradient?.of ?? {}).map(([id, value]) => ({
      id,
      slot: this.slot(id),
      value,
    }))
    const of = weights.flatMap(({ value, ...one }) => ('from' in value ? [] : [{ ...one, value }]))
    const late = weights.flatMap(({ value, ...one }) => ('from' in value ? [{ ...one, value }] : []))
    const read = question.read.map((id) => ({ id, slot: this.slot(id) }))
    const wrt = (question.gradient?.wrt ?? []).map((id) => ({ id, slot: this.slot(id) }))
    wrt.forEach(({ id }) =>
      this.checkDifferentiable(
        id,
        weights.map((one) => one.id),
      ),
    )
    const needed = [
      ...read.map(({ slot }) => slot),
      ...late.flatMap(({ value }) => value.reads.map((id) => this.slot(id))),
    ]
    const plan = planOf(program, {
      replaced: new Set(from.map(({ slot }) => slot)),
      read: new Set(needed),
      of: new Set(weights.map(({ slot }) => slot)),
      wrt: new Set(wrt.map(({ slot }) => slot)),
    })
    const feeds = this.neededFeeds(question, plan)
    const rows = this.checkShapes([...feeds, ...from, ...of])
    const given = new Map<Slot, tf.Tensor>()
    const cotangent = new Map<Slot, tf.Tensor | LateTensor>()
    try {
      for (const { slot, value } of [...feeds, ...from]) given.set(slot, this.inside(slot, value))
      for (const { slot, value } of of) cotangent.set(slot, this.inside(slot, value))
      for (const { slot, value } of late)
        cotangent.set(slot, (tensorAt) =>
          this.inside(
            slot,
            value.from((id) => toOutside(tensorAt(this.slot(id)), program.channelsLast)),
          ),
        )
      return await evaluate(
        {
          program,
          plan,
          given,
          read: new Set([...needed, ...wrt.map(({ slot }) => slot)]),
          cotangent,
          rulesAt: (step) => rules.at(step.outputs.flatMap((slot) => this.idsOf.get(slot) ?? [])),
          signal,
        },
        (value, gradient) => {
          const outside = (tensor: tf.Tensor): FloatTensor => toOutside(tensor, program.channelsLast)
          const flat = ({ slot }: { slot: Slot }): FloatTensor => {
            const found = gradient(slot)
            if (found !== undefined) return outside(found)
            // Nothing leads from this tap to the scalar.
            return zeros(outerShape([rows, ...value(slot).shape.slice(1)], program.channelsLast).map(Number))
          }
          return {
            values: Object.fromEntries(read.map(({ id, slot }) => [id, outside(value(slot))])),
            gradients: Object.fromEntries(wrt.map((one) => [one.id, flat(one)])),
          }
        },
      )
    } catch (thrown) {
      throw this.explained(thrown)
    } finally {
      for (const tensor of [...given.values(), ...cotangent.values()])
        if (typeof tensor !== 'function') tensor.dispose()
    }
  }

  dispose(): Promise<void> {
    if (!this.disposed) {
      this.disposed = true
      this.program.derived.dispose()
      this.keras.dispose()
    }
    return Promise.resolve()
  }

  private inside(slot: Slot, value: Tensor): tf.Tensor {
    return toInside(value, this.program.slots[slot]?.dtype ?? 'float32', this.program.channelsLast)
  }

  private slot(id: TapId): Slot {
    const slot = this.slotOf.get(id)
    if (slot !== undefined) return slot
    throw new AppError({
      code: 'UNKNOWN_LAYER',
      message: `no layer is called ${id}`,
      userMessage: `This model has no layer called "${id}". Choose one of its ${this.taps.length} layers, such as ${this.defaultTap}.`,
      details: { tap: id },
    })
  }

  private checkDifferentiable(id: TapId, of: readonly TapId[]): void {
    const tap = this.taps.find((candidate) => candidate.id === id)
    if (tap === undefined || tap.differentiable) return
    // A tap behind the logits has a gradient of what lies behind itself.
    if (of.some((output) => output !== this.logits) && !/No gradient passes/.test(tap.reason ?? '')) return
    throw new AppError({
      code: 'NOT_DIFFERENTIABLE',
      message: `${id}: ${tap.reason ?? 'has no gradient'}`,
      userMessage: `There is no gradient at "${id}". ${tap.reason ?? ''}`.trim(),
      details: { tap: id },
    })
  }

  private neededFeeds(
    { feeds = {} }: Pick<Question, 'feeds'>,
    plan: Plan,
  ): { id: string; slot: Slot; value: Tensor }[] {
    const unknown = Object.keys(feeds).find((name) => !this.inputs.includes(name))
    if (unknown !== undefined)
      throw badInput(`the model has no input called "${unknown}". It has: ${this.inputs.join(', ')}.`)
    return this.program.inputs
      .filter(({ slot }) => plan.feeds.includes(slot))
      .map(({ name, slot }) => {
        const value = feeds[name]
        if (value === undefined) throw badInput(`the input "${name}" is needed for this question and was not fed.`)
        return { id: name, slot, value }
      })
  }

  /** Every tensor must fit its tap, and all must have the same number of rows, which is returned. */
  private checkShapes(given: readonly { id: string; slot: Slot; value: Tensor }[]): number {
    let rows: number | undefined
    for (const { id, slot, value } of given) {
      const shape = outerShape(this.program.slots[slot]?.shape ?? [], this.program.channelsLast)
      const fits =
        value.dims.length === shape.length &&
        value.dims.every((dim, axis) => dim > 0 && (axis === 0 || shape[axis] === null || shape[axis] === dim))
      if (!fits) throw badInput(`${id}: expected the shape ${shown(shape)}, found ${shown(value.dims)}.`)
      rows ??= value.dims[0]
      if (value.dims[0] !== rows)
        throw badInput(`${id}: expected ${rows ?? 0} rows as in the other tensors, found ${value.dims[0] ?? 0}.`)
    }
    if (rows === undefined) throw badInput('nothing was fed and nothing replaced.')
    return rows
  }

  private explained(thrown: unknown): unknown {
    if (thrown instanceof AppError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    if (!/gradient/i.test(message)) return thrown
    return new AppError({
      code: 'NOT_DIFFERENTIABLE',
      message,
      userMessage: `TensorFlow.js has no gradient for an operator of this model: ${message}`,
      cause: thrown,
    })
  }
}
