import { expect, test, vi } from 'vitest'
import { inputXGradient } from '../../../../lib/methods/text/input-x-gradient.ts'
import { lrp } from '../../../../lib/methods/text/lrp.ts'
import { goldens, loadTiny, onTiny, tinyContext } from '../../../helpers/tiny-transformer.ts'
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

test('a transformer is refused before it is asked, in a sentence that names what is in the way', async () => {
  const model = await loadTiny('bert')
  const ask = vi.spyOn(model, 'ask')
  const refusals = (await model.refusals?.('lrp')) ?? []
  expect(() => tinyContext(model, { of: lrp, refusals })).toThrow(
    /^LRP cannot explain a tiny transformer\. No gradient rule for .*Softmax \(LRP has no rule for it.*, on the way from .* to the output\./u,
  )
  expect(ask).not.toHaveBeenCalled()
  await model.dispose()
})
