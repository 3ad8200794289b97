import { expect, test } from 'vitest'
import { noisyRows } from '../../../../lib/methods/shared/noise-rows.ts'
import { gradientNorm } from '../../../../lib/methods/text/gradient-norm.ts'
import { inputXGradient } from '../../../../lib/methods/text/input-x-gradient.ts'
import { smoothGrad } from '../../../../lib/methods/text/smooth-grad.ts'
import { float32 } from '../../../../lib/tensor/tensor.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'
import { dot, fakeContext, fakeModel, SIZE, U, wordOf } from './fake-model.ts'

const IDS = [101, 7, 12, 7, 3, 102]
const run = (params: object, seed = 0) =>
  smoothGrad.run(fakeContext(fakeModel(), { seed }), smoothGrad.params.parse(params))

test.each([
  { of: 'input-x-gradient', alone: inputXGradient },
  { of: 'gradient-norm', alone: gradientNorm },
])('with no noise it is $of itself, and reduces to words as that does', async ({ of, alone }) => {
  const found = await run({ of, noise: 0, samples: 3 })
  const expected = await alone.run(fakeContext(fakeModel()), alone.params.parse({}))
  expect(relativeDifference(found.scores.data, expected.scores.data)).toBeLessThan(1e-6)
  expect(found.wordReduction).toBe(expected.wordReduction)
})

test('the mean over noisy copies, one by one; noise in shares of the range of the embedding', async () => {
  const words = IDS.flatMap(wordOf)
  const deviation = 0.2 * (Math.max(...words) - Math.min(...words))
  const clean = float32(words, [1, IDS.length, SIZE])
  const { perRow } = noisyRows('words', clean, 11, { deviation, seed: 4, purpose: 'noise' })
  const expected = IDS.map(() => 0)
  for (let sample = 0; sample < 11; sample += 1) {
    const noise = perRow({ first: sample, count: 1 })['noise']?.data ?? []
    IDS.forEach((_, token) => {
      const word = Array.from({ length: SIZE }, (_unused, at) => {
        const place = token * SIZE + at
        return (words[place] ?? NaN) + (noise[place] ?? NaN)
      })
      const product = dot(U, word) * (1 - Math.tanh(dot(U, word)) ** 2)
      expected[token] = (expected[token] ?? NaN) + product / 11
    })
  }
  const { scores } = await run({ noise: 0.2, samples: 11 }, 4)
  expect(relativeDifference(scores.data, expected)).toBeLessThan(1e-5)
  expect((await run({ noise: 0.2, samples: 11 }, 5)).scores.data).not.toEqual(scores.data)
})
