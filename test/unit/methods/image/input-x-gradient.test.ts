import { describe, expect, it } from 'vitest'
import { deepLift } from '../../../../lib/methods/image/deep-lift.ts'
import { expectedGradients } from '../../../../lib/methods/image/expected-gradients.ts'
import { guidedIg } from '../../../../lib/methods/image/guided-ig.ts'
import { inputXGradient } from '../../../../lib/methods/image/input-x-gradient.ts'
import { integratedGradients } from '../../../../lib/methods/image/integrated-gradients.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { pixelGoldens } from '../../../helpers/pixel-goldens.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'

/** Open rectifiers: logit_k = b + mean over places of H_k W_2 W_1 x, so a pixel adds sum_c (H_k W_2 W_1)_c x_c / 36. */
function closedForm(model: TinyCnn, index: number): number[] {
  const { conv1, conv2, head } = model.weights
  const picture = tinyFeed().data
  const slopes = [0, 1, 2].map((c) =>
    (head[index] ?? []).reduce(
      (sum, h, k) => sum + h * (conv2[k] ?? []).reduce((inner, w, j) => inner + w * (conv1[j]?.[c] ?? NaN), 0),
      0,
    ),
  )
  return Array.from({ length: 36 }, (_, at) =>
    slopes.reduce((sum, slope, c) => sum + (slope * (picture[c * 36 + at] ?? NaN)) / 36, 0),
  )
}

describe('input-x-gradient of pictures', () => {
  const { equals } = pixelGoldens()
  equals(inputXGradient, 'input-x-gradient')

  const exact = [
    { method: inputXGradient, params: {} },
    { method: integratedGradients, params: { baseline: 'black' } },
    { method: integratedGradients, params: { baseline: 'black', steps: 1, rule: 'right' } },
    { method: deepLift, params: { baseline: 'black' } },
    { method: guidedIg, params: { baseline: 'black', steps: 7 } },
    { method: expectedGradients, params: { baselines: 'black', samples: 3 } },
  ]
  it.each(exact)('$method.id of a linear model is the closed form: $params', async ({ method, params }) => {
    for (const index of [0, 1, 2]) {
      const model = new TinyCnn({ firstBias: 10, secondBias: 100 })
      const { map } = await runImageMethod(method, model, { index, params })
      const expected = closedForm(model, index)
      map.data.forEach((one, at) => expect(one).toBeCloseTo(expected[at] ?? NaN, 5))
    }
  })
})
