/**
 * What one tap did over inputs that arrive one after the other: sums in double precision a channel, and a histogram an input.
 * Of a tensor nothing is kept, so many inputs need the memory of one.
 *
 * Letters: I inputs, C channels, B bins.
 */
import { AppError } from '../errors.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { Channels, type ChannelStatistics, type Summary } from './channels.ts'
import { countsLike, edgesOf, histogramOf, together, type Histogram } from './histogram.ts'
import type { ChannelLayout } from './layout.ts'

export interface TapStatistics extends Summary {
  readonly layout: ChannelLayout['kind']
  /** null for the layout 'whole', which has none. */
  readonly channels: ChannelStatistics | null
  readonly histogram: {
    /** [B + 1], multiples of a power of two, zero among them where values lie on both sides: a bin is edges[i] <= v < edges[i + 1]. */
    readonly edges: readonly number[]
    /** [B] */
    readonly counts: readonly number[]
  }
  /** [I, B]: how many values of each input lie in each bin. */
  readonly byInput: Uint32Array
}

export interface TapOptions {
  /** A value is near zero where |a| is below it. */
  readonly nearZero: number
  /** Bins of a histogram at most. */
  readonly bins: number
}

function checkFinite({ data }: FloatTensor, what: string, tap: string): void {
  // Finite floats have a finite sum in double precision.
  let sum = 0
  for (let at = 0; at < data.length; at += 1) sum += data[at] ?? 0
  if (Number.isFinite(sum)) return
  const bad = data.findIndex((value) => !Number.isFinite(value))
  throw new AppError({
    code: 'BAD_RESULT',
    message: `${what} of ${tap} is ${data[bad]} at ${bad}`,
    userMessage: `The model computes ${what === 'the gradient' ? 'a gradient' : 'a value'} that is not finite at the layer ${tap} for one of the inputs, so there are no statistics of it. Leave the layer or the input out.`,
    details: { layer: tap },
  })
}

export class TapAccumulator {
  readonly #tap: string
  readonly #layout: ChannelLayout
  readonly #options: TapOptions
  readonly #histograms: Histogram[] = []
  #channels: Channels | null = null

  constructor(tap: string, layout: ChannelLayout, options: TapOptions) {
    this.#tap = tap
    this.#layout = layout
    this.#options = options
  }

  /**
   * Takes what the tap said of one input.
   * @param gradient of the score with respect to it, in its shape; null where none reaches it, for every input alike
   * @throws AppError BAD_RESULT for numbers that are not finite, or another number of channels than before; then nothing was taken
   */
  add(values: FloatTensor, gradient: FloatTensor | null): void {
    checkFinite(values, 'the value', this.#tap)
    if (gradient !== null) checkFinite(gradient, 'the gradient', this.#tap)
    const { axis } = this.#layout
    const count = axis === null ? 1 : (values.dims[axis] ?? 1)
    this.#channels ??= new Channels(count, this.#options.nearZero, gradient !== null)
    if (this.#channels.count !== count)
      throw new AppError({
        code: 'BAD_RESULT',
        message: `${this.#tap} has ${count} channels, and had ${this.#channels.count} for the input before`,
        userMessage: `The layer ${this.#tap} has another number of channels for each input, so they cannot be counted together. Leave it out.`,
      })
    const behind = axis === null ? values.data.length : values.dims.slice(axis + 1).reduce((all, dim) => all * dim, 1)
    this.#channels.add(values.data, gradient?.data ?? null, behind)
    this.#histograms.push(histogramOf(values.data, this.#options.bins))
  }

  /** @throws AppError BAD_INPUT where nothing was added */
  result(): TapStatistics {
    if (this.#channels === null)
      throw new AppError({ code: 'BAD_INPUT', message: 'There are no statistics of no input: give one at least.' })
    const all = together(this.#histograms, this.#options.bins)
    const byInput = new Uint32Array(this.#histograms.length * all.counts.length)
    this.#histograms.forEach((one, at) => byInput.set(countsLike(one, all), at * all.counts.length))
    const { kind } = this.#layout
    return {
      layout: kind,
      ...this.#channels.summary(),
      channels: kind === 'whole' ? null : this.#channels.each(),
      histogram: { edges: edgesOf(all), counts: Array.from(all.counts) },
      byInput,
    }
  }
}
