/** A part of the quality figures: examples with what people marked, and what an explanation of one is worth. */
import type { Method } from '../../lib/methods/method.ts'
import type { LoadedModel } from '../../lib/models/load.ts'
import type { Part, Values } from './figures.ts'

export interface Asking {
  readonly loaded: LoadedModel
  readonly seed: number
}

export interface QualityPart<Sample = unknown> {
  readonly part: Part
  /** Id of the model. */
  readonly model: string
  /** Its archive in the data folder. */
  readonly file: string
  /** How many examples at most. */
  readonly most: number
  /** Forward passes that a method may take over all examples: a dearer one is given fewer of them. */
  readonly budget: number
  /** What a method costs here beyond one explanation, in explanations. */
  readonly repeats: number
  /** All there are, in a fixed order. */
  samples(data: string, asking: Asking): Promise<readonly Sample[]>
  /** Figures of one explanation. */
  judge(sample: Sample, method: Method, asking: Asking): Promise<Values>
  /** Figures of attributions that know nothing of the model, by the control's name; none where the figure needs no such thing. */
  controls(sample: Sample, asking: Asking): Promise<Readonly<Record<string, Values>>>
}

/** Types a part by its own samples, then erases them for the list. */
export function qualityPart<Sample>(part: QualityPart<Sample>): QualityPart {
  return part
}

/** Spread evenly over the examples: archives are sorted by class. */
export function spread<Sample>(samples: readonly Sample[], count: number): readonly Sample[] {
  if (count >= samples.length) return samples
  return Array.from({ length: count }, (_, at) => Math.floor((at * samples.length) / count)).flatMap((at) => {
    const sample = samples[at]
    return sample === undefined ? [] : [sample]
  })
}
