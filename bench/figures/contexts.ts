/** What the product gives a method, made of what a measurement has: preprocessed pictures and encoded texts. */
import type { ExplainableModel } from '../../lib/engine/model.ts'
import type { ImageContext, TextContext, Vocabulary } from '../../lib/methods/context.ts'
import type { Method } from '../../lib/methods/method.ts'
import type { ImagePreprocessing, Modality, ModelCard } from '../../lib/models/card.ts'
import { factsOf } from '../../lib/models/facts.ts'
import { headOf, imageContext, textContext, type Encoded, type OpenedModel, type RunParts } from '../../lib/prepare.ts'
import { classTarget } from '../../lib/target/target.ts'
import type { FloatTensor } from '../../lib/tensor/tensor.ts'

const AS_IT_IS: ImagePreprocessing = {
  kind: 'image',
  width: 224,
  height: 224,
  resize: 'squash',
  layout: 'NCHW',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  colour: 'RGB',
}
const PREPROCESSING: Readonly<Record<Modality, ModelCard['preprocessing']>> = {
  image: AS_IT_IS,
  text: { kind: 'text', maxTokens: 512, truncation: 'head', lowercase: true },
}

export async function opened(model: ExplainableModel, modality: Modality, classes: number): Promise<OpenedModel> {
  const facts = await factsOf(model, { title: 'a measured model', preprocessing: PREPROCESSING[modality] })
  return { model, facts, head: headOf(model, classes) }
}

function partsOf(index: number): RunParts {
  return { target: classTarget(index), seed: 0, signal: new AbortController().signal, progress: () => undefined }
}

export function pictureContext(of: OpenedModel, method: Method, picture: FloatTensor, index: number): ImageContext {
  return imageContext(of, picture, AS_IT_IS, { of: method, params: {} }, partsOf(index))
}

export function encodedContext(
  of: OpenedModel,
  method: Method,
  encoded: Encoded,
  vocabulary: Vocabulary,
  index: number,
): TextContext {
  return textContext(of, '', encoded, vocabulary, { of: method, params: {} }, partsOf(index))
}
