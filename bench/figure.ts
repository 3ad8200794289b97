/** What the bench measures: a figure with the bar it has to clear. */
export interface Figure {
  /** `gradcam_over_forward.resnet-18` */
  readonly name: string
  readonly value: number
  /** Good when value <= bar; null: only reported. */
  readonly bar: number | null
  readonly unit: string
  /** What went into it, for whoever wonders. */
  readonly detail: Readonly<Record<string, number>>
}

export interface BenchContext {
  /** An empty folder for model files. */
  readonly folder: string
  readonly threads: number
  readonly rounds: number
}

/** A group of figures that share a model. */
export interface Benchmark {
  readonly name: string
  run(context: BenchContext): AsyncGenerator<Figure>
}
