/** What whoever looks at a model must know about how it is understood, of a few trial runs on inputs that mean nothing. */
import { AppError } from './errors.ts'
import type { DecodedImage } from './image/decode.ts'
import { prepareImage, prepareText } from './prepare.ts'
import { classTarget } from './target/target.ts'
import { float32, row, type FloatTensor, type Tensor } from './tensor/tensor.ts'
import { answered } from './methods/shared/batches.ts'
import type { ImagePreprocessing } from './models/card.ts'
import type { LoadedModel } from './models/load.ts'

/** Sums of probabilities of a softmax in float32, or rounded to 8 bits, are this near to 1. */
const SUM_TOLERANCE = 0.02
/** Pictures far out of any range: scores follow them, probabilities cannot. */
const FACTORS = [1, -30, 30]
const TEXTS = ['It is wonderful, wonderful, wonderful.', 'No. Terrible!', 'the']

/** Of the model's own size, the same at every call. */
function noise({ width, height }: ImagePreprocessing): DecodedImage {
  const rgb = new Uint8Array(3 * width * height)
  let state = 1
  for (let index = 0; index < rgb.length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    rgb[index] = state >>> 24
  }
  const size = { width, height, originalWidth: width, originalHeight: height }
  return { sha256: '', format: 'noise', ...size, rgb, diagnoses: [] }
}

type Feeds = Readonly<Record<string, Tensor>>

async function trials(loaded: LoadedModel): Promise<readonly Feeds[]> {
  const { preprocessing } = loaded.entry.card
  const asked = { of: { id: 'trial', title: 'A trial', modality: preprocessing.kind, needs: [] }, params: {} }
  const parts = { target: classTarget(null), seed: 0, signal: new AbortController().signal, progress: () => undefined }
  if (preprocessing.kind === 'text') {
    const prepared = await Promise.all(TEXTS.map((text) => prepareText(loaded, text, preprocessing, asked, parts)))
    return prepared.map(({ context }) => context.feeds)
  }
  const { context } = await prepareImage(loaded, noise(preprocessing), preprocessing, asked, parts)
  return FACTORS.map((factor) => ({
    ...context.feeds,
    [context.input]: float32(
      context.picture.data.map((value) => value * factor),
      context.picture.dims,
    ),
  }))
}

/** The scores of a few inputs that mean nothing, [K] each. */
async function trialScores(loaded: LoadedModel): Promise<readonly FloatTensor['data'][]> {
  const { model } = loaded
  const scores: FloatTensor['data'][] = []
  for (const feeds of await trials(loaded)) {
    const { values } = await model.ask({ feeds, read: [model.logits] })
    const { data } = row(answered(values, model.logits), 0)
    // Of one score for two labels, the second is the score.
    scores.push(model.link === 'sigmoid' && data.length === 2 ? data.slice(1) : data)
  }
  return scores
}

/**
 * Sentences for the Models page: where nobody says what makes probabilities of the scores, and the scores look like
 * probabilities already; where the model does not run at all.
 */
export async function notesOn(loaded: LoadedModel): Promise<readonly string[]> {
  const { model } = loaded
  if (model.linkBasis !== 'assumed') return []
  let scores: readonly FloatTensor['data'][]
  try {
    scores = await trialScores(loaded)
  } catch (thrown) {
    if (thrown instanceof AppError) return [`A trial run failed: ${thrown.userMessage}`]
    throw thrown
  }
  if (!scores.every((data) => data.every((value) => value >= 0 && value <= 1))) return []
  const sums = scores.every((data) => data.length > 1 && Math.abs(data.reduce((a, b) => a + b, 0) - 1) < SUM_TOLERANCE)
  const taken = model.link === 'none' ? 'a value' : `scores before a ${model.link}`
  return [
    `Its outputs lie between 0 and 1 whatever it is shown${sums ? ', and sum to 1' : ''}, as probabilities do, and nothing in its graph tells what makes them. ` +
      `They are taken for ${taken}. If they are probabilities, put "link": "none" into card.json, which takes them as they are; ` +
      'if they are scores, put "link": "softmax" or "sigmoid", and this is not said any more.',
  ]
}
