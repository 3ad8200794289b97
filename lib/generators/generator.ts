/**
 * What a generator is: it describes itself as a method does, and makes other inputs of one input (counterfactuals, perturbed
 * neighbours). Adding a generator is one file and one line in a list.
 */
import type { ImageContext, TextContext } from '../methods/context.ts'
import type { Description } from '../methods/description.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

interface ImageGenerator<P = unknown> extends Description<P> {
  readonly modality: 'image'
  /** Preprocessed pictures, each [1, C, H, W]. */
  run(context: ImageContext, params: P): Promise<readonly FloatTensor[]>
}
export interface TextGenerator<P = unknown> extends Description<P> {
  readonly modality: 'text'
  /** Texts as a person would type them. */
  run(context: TextContext, params: P): Promise<readonly string[]>
}
export type Generator = ImageGenerator | TextGenerator
