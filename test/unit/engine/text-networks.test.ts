/**
 * Further families of text classifiers against PyTorch's autograd, as bench/networks/export.py --texts wrote them: logits and
 * gradients of a full and of a padded text, and the word embedding found by itself.
 */
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compare, readNetwork } from '../../../bench/networks/network.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { NETWORK_GRADIENT } from '../../helpers/tolerance.ts'

const FOLDER = fileURLToPath(new URL('../../fixtures/text-networks', import.meta.url))
const FAMILIES = ['bart', 'deberta-v1', 'llama', 'modernbert', 'qwen2', 't5']

test('every family is here, each in less than 400 kB', () => {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.onnx'))
  expect(files.toSorted()).toEqual(FAMILIES.map((family) => `${family}.onnx`))
  for (const file of files) expect(statSync(`${FOLDER}/${file}`).size, file).toBeLessThan(400_000)
})

describe.each(FAMILIES)('%s', (family) => {
  test('values and gradients equal PyTorch’s; the default layer is the word embedding', async () => {
    const network = await readNetwork(FOLDER, family)
    if ('refused' in network) throw new Error(network.refused)
    const model = await loadOnnxModel(network.path, { threads: 1 })
    try {
      const [words] = network.manifest.questions
      expect(words?.kind).toBe('embedding')
      expect(model.defaultTap).toBe(words?.tap)
      // A row of the two ends in padding.
      expect([...(network.feeds['attention_mask']?.data ?? [])].map(Number)).toContain(0)
      for (const { what, error } of await compare(model, network))
        expect(error, what).toBeLessThanOrEqual(NETWORK_GRADIENT)
    } finally {
      await model.dispose()
    }
  })
})
