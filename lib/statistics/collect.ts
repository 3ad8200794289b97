/** Asks a model what its taps say of one input after the other. Reading and differentiating change nothing in it. */
import { throwIfCancelled } from '../errors.ts'
import type { Answer, ExplainableModel, Tap } from '../engine/model.ts'
import type { TapId } from '../engine/tap-id.ts'
import { classOf, scalarOf, stateScalar, type Head } from '../target/scalar.ts'
import type { Target } from '../target/target.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { layoutOf } from './layout.ts'
import { TapAccumulator, type TapOptions, type TapStatistics } from './tap-statistics.ts'

/** What was explained of one input: the number that contributions add up to where the network is linear. */
export interface InputScore {
  /** The class that the target is about; null where it is about none in particular. */
  readonly index: number | null
  readonly scalar: number
}

export interface CollectRequest extends TapOptions {
  readonly model: ExplainableModel
  readonly head: Head
  /** One at least, each once. */
  readonly taps: readonly Tap[]
  /** What channels contribute to; a predicted class is each input's own. */
  readonly target: Target
  readonly signal: AbortSignal
}

/** Bytes of activations and gradients that one question answers, about. */
const ANSWER_BYTES = 128 * 2 ** 20

/** Floats of a tap for one input. @param length for axes whose extent the input gives: how many tokens, or 1 */
function sizeAt({ shape }: Tap, length: number): number {
  return shape.reduce<number>((all, dim, axis) => all * (dim ?? (axis === 0 ? 1 : length)), 1)
}

/** Taps that are asked together: as many as answer {@link ANSWER_BYTES}, one at least. */
function groupsOf(taps: readonly Tap[], length: number): readonly (readonly Tap[])[] {
  const groups: Tap[][] = []
  let room = 0
  for (const tap of taps) {
    const bytes = sizeAt(tap, length) * 4 * (tap.differentiable ? 2 : 1)
    const last = groups.at(-1)
    if (last === undefined || bytes > room) {
      groups.push([tap])
      room = ANSWER_BYTES - bytes
    } else {
      last.push(tap)
      room -= bytes
    }
  }
  return groups
}

export class Collector {
  readonly #request: CollectRequest
  readonly #taps: ReadonlyMap<TapId, TapAccumulator>
  readonly scores: InputScore[] = []

  constructor(request: CollectRequest) {
    this.#request = request
    const { taps, model } = request
    this.#taps = new Map(taps.map((tap) => [tap.id, new TapAccumulator(tap.id, layoutOf(tap, model.taps), request)]))
  }

  /**
   * Takes one input, of which nothing but sums is kept.
   * @param feeds one row
   * @param length tokens of a text; 1 for a picture
   * @param progress share of this input done, 0..1
   * @throws AppError BAD_RESULT, CANCELLED; then the collection is of no use any more
   */
  async add(
    feeds: Readonly<Record<string, Tensor>>,
    length: number,
    progress: (fraction: number) => void,
  ): Promise<void> {
    const { head, target, signal, taps } = this.#request
    const groups = groupsOf(taps, length)
    for (const [at, group] of groups.entries()) {
      throwIfCancelled(signal)
      const answer = await this.#ask(feeds, group)
      if (at === 0) {
        const logits = answer.values[head.logits]?.data ?? []
        this.scores.push({ index: classOf(target, logits), scalar: scalarOf(target, logits, head.link) })
      }
      for (const { id } of group) {
        const values = answer.values[id]
        if (values !== undefined) this.#taps.get(id)?.add(values, answer.gradients[id] ?? null)
      }
      progress((at + 1) / groups.length)
    }
  }

  #ask(feeds: Readonly<Record<string, Tensor>>, group: readonly Tap[]): Promise<Answer> {
    const { model, head, target, signal } = this.#request
    const read = [...new Set([head.logits, ...group.map(({ id }) => id)])]
    const wrt = group.filter(({ differentiable }) => differentiable).map(({ id }) => id)
    if (wrt.length === 0) return model.ask({ feeds, read }, signal)
    const { of, perRow } = stateScalar(target, head)
    return model.ask({ feeds, read, gradient: { of, wrt }, formulas: { perRow } }, signal)
  }

  /** Of each tap, in the order asked. @throws AppError BAD_INPUT where no input was added */
  result(): readonly TapStatistics[] {
    return Array.from(this.#taps.values(), (tap) => tap.result())
  }
}
