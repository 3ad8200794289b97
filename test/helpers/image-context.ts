import type { ExplainableModel } from '../../lib/engine/model.ts'
import type { ImageContext, ImageMethod, ImageResult } from '../../lib/methods/method.ts'
import { tinyFeed } from './tiny-cnn.ts'

/** What an image method is given, for a test: class 0, seed 0, never cancelled, unless said otherwise. */
export function imageContext(
  model: ExplainableModel,
  changes: Partial<ImageContext> & { index?: number } = {},
): ImageContext {
  const { index = 0, ...rest } = changes
  return {
    modality: 'image',
    model,
    target: { index },
    seed: 0,
    signal: new AbortController().signal,
    progress: () => undefined,
    feeds: { input: tinyFeed() },
    ...rest,
  }
}

/** Runs a method with parameters as a user sends them. */
export async function runImageMethod(
  method: ImageMethod,
  model: ExplainableModel,
  changes: Partial<ImageContext> & { index?: number; params?: Readonly<Record<string, unknown>> } = {},
): Promise<ImageResult> {
  const { params = {}, ...context } = changes
  return method.run(imageContext(model, context), method.params.parse(params))
}
