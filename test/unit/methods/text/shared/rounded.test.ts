/** Integrated gradients of a model that is rounded as it runs: what does not add up is put down to that. */
import { expect, test } from 'vitest'
import { integratedGradients } from '../../../../../lib/methods/text/integrated-gradients.ts'
import { fakeContext, fakeModel } from '../fake-model.ts'

test.each([
  [true, 'dynamic quantisation'],
  [false, 'Use more steps'],
])('batch dependent: %s', async (batchDependent, said) => {
  // So sharp that two points cannot follow it.
  const context = fakeContext({ ...fakeModel(50), batchDependent })
  const { diagnoses } = await integratedGradients.run(context, integratedGradients.params.parse({ steps: 2 }))
  const found = diagnoses.find(({ code }) => code === 'COMPLETENESS')
  expect(found?.message).toContain(said)
})
