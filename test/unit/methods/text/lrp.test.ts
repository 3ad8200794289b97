import { expect, test } from 'vitest'
import { inputXGradient } from '../../../../lib/methods/text/input-x-gradient.ts'
import { lrp } from '../../../../lib/methods/text/lrp.ts'
import { goldens, onTiny } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

test('equals Captum', async () => {
  const { scores } = await onTiny(lrp, 'mlp', { epsilon: 0.01 })
  expect(relativeDifference(scores.data, goldens.mlp.lrp)).toBeLessThan(1e-4)
})

test('ε and γ change what is handed on', async () => {
  const [z, epsilon, gamma] = await Promise.all(
    [{ epsilon: 0 }, { epsilon: 1 }, { epsilon: 0, gamma: 0.5 }].map((params) => onTiny(lrp, 'mlp', params)),
  )
  const plain = await onTiny(inputXGradient, 'mlp')
  for (const other of [epsilon, gamma, plain]) expect(other?.scores.data).not.toEqual(z?.scores.data)
})

test('a transformer is refused in a sentence that names what is in the way, and what to use', async () => {
  await expect(onTiny(lrp, 'bert')).rejects.toMatchObject({
    code: 'METHOD_UNAVAILABLE',
    message: expect.stringMatching(/^LRP cannot explain a tiny transformer: .*Softmax.*AttnLRP/u),
  })
})
