import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { readNetwork } from '../../../../bench/networks/network.ts'
import { loadOnnxModel } from '../../../../lib/engine/onnx/model/load.ts'
import { attentionRollout } from '../../../../lib/methods/text/attention-rollout.ts'
import { int64 } from '../../../../lib/tensor/tensor.ts'
import { goldens, loadTiny, onTiny, tinyContext } from '../../../helpers/tiny-transformer.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

const total = (scores: Float32Array): number => scores.reduce((sum, one) => sum + one, 0)

describe.each(['bert', 'bert-spelled'] as const)('%s', (name) => {
  test.each(['mean', 'min', 'max'] as const)(
    'the product over layers, %s of the heads, as literally',
    async (heads) => {
      const { scores, diagnoses } = await onTiny(attentionRollout, name, { heads })
      expect(relativeDifference(scores.data, goldens.bert['attention-rollout'][heads])).toBeLessThan(1e-4)
      expect(total(scores.data)).toBeCloseTo(1, 5)
      expect(diagnoses).toMatchObject([
        { code: 'CLASSIFYING_TOKEN', message: expect.stringContaining('the first token') },
      ])
    },
  )
})

test('a model that pools over its tokens has the mean of their rows, and says so', async () => {
  const { scores, diagnoses } = await onTiny(attentionRollout, 'mean')
  expect(relativeDifference(scores.data, goldens.mean['attention-rollout'])).toBeLessThan(1e-4)
  expect(diagnoses[0]?.message).toContain('the mean of 7 tokens')
  const { scores: first } = await onTiny(attentionRollout, 'mean', { token: 'first' })
  expect(first.data).not.toEqual(scores.data)
})

test('without attention every token keeps what it has', async () => {
  const { scores } = await onTiny(attentionRollout, 'bert', { residual: 0.99 })
  expect(scores.data[0]).toBeGreaterThan(0.95)
})

test('one question, whatever the number of layers', async () => {
  const model = await loadTiny('bert')
  const ask = vi.spyOn(model, 'ask')
  await attentionRollout.run(tinyContext(model, { of: attentionRollout }), attentionRollout.params.parse({}))
  expect(ask).toHaveBeenCalledTimes(1)
  await model.dispose()
})

test('padding behind the text, in a model that reads a fixed length, changes nothing', async () => {
  const model = await loadTiny('bert')
  const context = tinyContext(model, { of: attentionRollout })
  const padding = [0, 0, 0, 0]
  const feeds = {
    input_ids: int64([...goldens.ids, ...padding], [1, 11]),
    attention_mask: int64([...goldens.ids.map(() => 1), ...padding], [1, 11]),
  }
  const { scores } = await attentionRollout.run({ ...context, feeds }, attentionRollout.params.parse({}))
  expect(relativeDifference(scores.data, goldens.bert['attention-rollout'].mean)).toBeLessThan(1e-4)
  await model.dispose()
})

async function onNetwork(family: string, folder = 'text-networks') {
  const network = await readNetwork(fileURLToPath(new URL(`../../../fixtures/${folder}`, import.meta.url)), family)
  if ('refused' in network) throw new Error(network.refused)
  const model = await loadOnnxModel(network.path, { threads: 1 })
  try {
    const ids = [5, 9, 12, 5, 2]
    const context = tinyContext(model, { of: attentionRollout, ids, target: 0, classes: 5 })
    return await attentionRollout.run(context, attentionRollout.params.parse({}))
  } finally {
    await model.dispose()
  }
}

test('fused attention has its weights too', async () => {
  const { scores, diagnoses } = await onNetwork('bert', 'networks')
  expect(diagnoses[0]?.message).toContain('the first token')
  expect(total(scores.data)).toBeCloseTo(1, 5)
  expect(new Set(scores.data).size).toBe(5)
})

test('a decoder is read at its last token', async () => {
  const { scores, diagnoses } = await onNetwork('llama')
  expect(diagnoses[0]?.message).toContain('the last token')
  expect(total(scores.data)).toBeCloseTo(1, 5)
})

test.each(['bart', 't5'])('%s, an encoder with a decoder, is refused in a sentence', async (family) => {
  await expect(onNetwork(family)).rejects.toMatchObject({
    code: 'METHOD_UNAVAILABLE',
    message: expect.stringContaining('an encoder and a decoder'),
  })
})
