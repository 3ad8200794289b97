/** What the bench measures: a figure with the bar it has to clear. */
export interface Figure {
  /** `gradcam_over_forward.resnet-18` */
  readonly name: string
  readonly value: number
  /** Null: only reported. */
  readonly bar: Bar | null
  readonly unit: string
  /** What went into it, for whoever wonders. */
  readonly detail: Readonly<Record<string, number | string>>
}

export interface Bar {
  /** Costs are to be at most this, leads over a peer at least this. */
  readonly is: 'at-most' | 'at-least'
  readonly value: number
}

export const atMost = (value: number): Bar => ({ is: 'at-most', value })
export const atLeast = (value: number): Bar => ({ is: 'at-least', value })

export function clears(value: number, bar: Bar): boolean {
  return bar.is === 'at-most' ? value <= bar.value : value >= bar.value
}

export interface BenchContext {
  /** An empty folder for model files. */
  readonly folder: string
  readonly threads: number
  readonly rounds: number
  /** Folder of labelled data, which may not be there. */
  readonly data: string
  /** A line for whoever watches: what is left out and why. */
  readonly note: (message: string) => void
}

/** A group of figures that share a model. */
export interface Benchmark {
  readonly name: string
  run(context: BenchContext): AsyncGenerator<Figure>
}
