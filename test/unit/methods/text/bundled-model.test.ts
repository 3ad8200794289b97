/** Every text method on the bundled model, against PyTorch's gradients and its own promises. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../../lib/engine/onnx/model/load.ts'
import { gradientNorm } from '../../../../lib/methods/text/gradient-norm.ts'
import { inputXGradient } from '../../../../lib/methods/text/input-x-gradient.ts'
import { integratedGradients } from '../../../../lib/methods/text/integrated-gradients.ts'
import { modelCard, type TextPreprocessing } from '../../../../lib/models/card.ts'
import { factsOf } from '../../../../lib/models/facts.ts'
import { headOf, textContext, type OpenedModel } from '../../../../lib/prepare.ts'
import { classTarget } from '../../../../lib/target/target.ts'
import { loadTokenizer, type Tokenizer } from '../../../../lib/text/tokenizer.ts'
import { groupWords } from '../../../../lib/text/words.ts'
import cardJson from '../../../../models/reviews-minilm/card.json' with { type: 'json' }
import golden from '../../../../models/reviews-minilm/golden.json' with { type: 'json' }
import samples from '../../../../public/samples/reviews.json' with { type: 'json' }

const FOLDER = join(import.meta.dirname, '../../../../models/reviews-minilm')
const card = modelCard.parse(cardJson)
const preprocessing = ((found): TextPreprocessing => {
  if (found.kind !== 'text') throw new TypeError('reviews-minilm reads text')
  return found
})(card.preprocessing)

let model: ExplainableModel
let opened: OpenedModel
/** All of these methods are asked at the embedding. */
const ASKED = { of: gradientNorm, params: {} }
let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await loadTokenizer(FOLDER)
  model = await loadOnnxModel(join(FOLDER, card.files.onnx ?? ''), { defaultTap: card.defaultTap })
  opened = { model, facts: await factsOf(model, card), head: headOf(model, card.labels.length) }
})
afterAll(() => model.dispose())

async function encode(text: string, index: number) {
  const encoded = await tokenizer.encode(text, preprocessing)
  const context = textContext(opened, text, encoded, tokenizer.vocabulary, ASKED, {
    target: classTarget(index),
    seed: 0,
    signal: new AbortController().signal,
    progress: () => undefined,
  })
  return { encoded, context }
}
/** Largest difference in shares of the largest expected value. */
const relative = (found: ArrayLike<number>, expected: readonly number[]): number =>
  Math.max(...expected.map((value, index) => Math.abs(value - (found[index] ?? Number.NaN)))) /
  Math.max(...expected.map(Math.abs))

describe.each(golden.examples)('PyTorch: $text', (example) => {
  test('the same ids, logits and gradients', async () => {
    const { encoded, context } = await encode(example.text, 1)
    expect(encoded.ids).toEqual(example.input_ids)
    const norm = await gradientNorm.run(context, gradientNorm.params.parse({}))
    const product = await inputXGradient.run(context, inputXGradient.params.parse({}))
    expect(relative(norm.logits.data, example.logits)).toBeLessThan(1e-4)
    expect(relative(norm.scores.data, example.gradNorm)).toBeLessThan(1e-4)
    expect(relative(product.scores.data, example.gradDotEmbedding)).toBeLessThan(1e-4)
  })
})

const SAMPLES = samples.reviews.filter(({ id }) => ['warm', 'accents', 'short'].includes(id))
describe.each(SAMPLES)('sample $id', ({ text }) => {
  test('integrated gradients add up, by tokens and by words', async () => {
    const { encoded, context } = await encode(text, 1)
    const { scores, completeness } = await integratedGradients.run(context, integratedGradients.params.parse({}))
    const tokens = encoded.tokens.map((token, index) => ({
      ...token,
      score: scores.data[index] ?? Number.NaN,
      special: encoded.special[index] ?? false,
    }))
    const words = groupWords(text, tokens, 'sum')
    expect(completeness?.error).toBeLessThanOrEqual(0.01)
    expect(completeness?.points).toBeLessThanOrEqual(257)
    expect(words.reduce((sum, word) => sum + word.score, 0)).toBeCloseTo(completeness?.sum ?? Number.NaN, 5)
    const { values } = await model.ask({ feeds: context.feeds, read: [model.logits] })
    const logit = values[model.logits]?.data[1] ?? Number.NaN
    // The blanks speak for neither side, so the scores explain nearly the whole logit.
    expect(Math.abs((completeness?.sum ?? Number.NaN) - logit)).toBeLessThan(1.5)
  })
})

test('Gauss-Legendre at 64 points agrees with auto', async () => {
  const { context } = await encode('Unwatchable, but well acted.', 0)
  const auto = await integratedGradients.run(context, integratedGradients.params.parse({}))
  const fixed = await integratedGradients.run(context, integratedGradients.params.parse({ steps: 64 }))
  expect(fixed.completeness?.error).toBeLessThan(0.01)
  expect(relative(auto.scores.data, [...fixed.scores.data])).toBeLessThan(0.05)
})

test('the sample reviews are what they say', async () => {
  expect(new Set(samples.reviews.map(({ id }) => id)).size).toBe(samples.reviews.length)
  for (const { text } of samples.reviews) expect((await tokenizer.encode(text, preprocessing)).removed).toBeNull()
})
