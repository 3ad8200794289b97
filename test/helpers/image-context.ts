import type { ExplainableModel } from '../../lib/engine/model.ts'
import type { ImageContext } from '../../lib/methods/context.ts'
import type { ImageMethod, ImageResult } from '../../lib/methods/method.ts'
import type { ImagePreprocessing } from '../../lib/models/card.ts'
import { factsOf } from '../../lib/models/facts.ts'
import { headOf, imageContext as contextOf, type Asked } from '../../lib/prepare.ts'
import { classTarget, type Target } from '../../lib/target/target.ts'
import { asFloat } from '../../lib/tensor/tensor.ts'
import { TINY_CLASSES, tinyFeed } from './tiny-cnn.ts'

interface Changes extends Partial<Pick<ImageContext, 'feeds' | 'seed' | 'signal' | 'progress'>> {
  /** The explained class; 0 where neither it nor `target` is given. */
  readonly index?: number
  readonly target?: Target
  /** How the picture was made into numbers; left out: its levels as they are. */
  readonly preprocessing?: ImagePreprocessing
}

/** Values of the feed are levels 0..255 as they are. */
export const AS_IT_IS: ImagePreprocessing = {
  kind: 'image',
  width: 6,
  height: 6,
  resize: 'squash',
  layout: 'NCHW',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  colour: 'RGB',
}

/** What an image method is given, for a test: class 0, seed 0, never cancelled, unless said otherwise. */
export async function imageContext(
  model: ExplainableModel,
  asked: Asked,
  {
    index = 0,
    target = classTarget(index),
    feeds = { input: tinyFeed() },
    preprocessing = AS_IT_IS,
    ...parts
  }: Changes = {},
): Promise<ImageContext> {
  const [picture] = Object.values(feeds)
  if (picture === undefined) throw new RangeError('no picture')
  const facts = await factsOf(model, { title: 'This model', preprocessing })
  const stated = model.taps.find((tap) => tap.id === model.logits)?.shape.at(-1) ?? TINY_CLASSES
  return contextOf({ model, facts, head: headOf(model, stated) }, asFloat(picture, 'picture'), preprocessing, asked, {
    target,
    seed: 0,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...parts,
  })
}

/** Runs a method with parameters as a user sends them. */
export async function runImageMethod(
  method: ImageMethod,
  model: ExplainableModel,
  { params = {}, ...changes }: Changes & { readonly params?: Readonly<Record<string, unknown>> } = {},
): Promise<ImageResult> {
  const parsed = method.params.parse(params)
  return method.run(await imageContext(model, { of: method, params: parsed }, changes), parsed)
}
