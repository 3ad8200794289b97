import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compare, readNetwork, type Network } from '../../../bench/networks/network.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { NETWORK_GRADIENT } from '../../helpers/tolerance.ts'

// Small versions of real architectures, exported by bench/networks/export.py, against PyTorch's autograd.
const FOLDER = fileURLToPath(new URL('../../fixtures/networks', import.meta.url))
const FILES = readdirSync(FOLDER)
const STEMS = FILES.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))

/** Networks that need operators without a gradient rule, and which: asserted to fail by exactly these. */
const PENDING: Readonly<Record<string, readonly string[]>> = {}

const ARCHITECTURES = [
  ...['resnet', 'resnext', 'vgg-bn', 'alexnet', 'squeezenet', 'densenet', 'mobilenet-v2', 'mobilenet-v3', 'mnasnet'],
  ...['shufflenet-v2', 'efficientnet', 'regnet', 'convnext', 'googlenet', 'inception-v3', 'vit', 'swin'],
  ...['bert', 'distilbert', 'roberta', 'albert', 'electra', 'mpnet', 'deberta-v2', 'deberta-v3', 'xlm-r', 'gpt2'],
]

async function committed(stem: string): Promise<Network> {
  const network = await readNetwork(FOLDER, stem)
  if ('refused' in network) throw new Error(`${stem} is a refusal: ${network.refused}`)
  return network
}

describe('the committed networks', () => {
  test('are every architecture, once', () => {
    expect(STEMS.toSorted()).toEqual(ARCHITECTURES.toSorted())
    expect(ARCHITECTURES).toEqual(expect.arrayContaining(Object.keys(PENDING)))
  })

  test('meet both exporters and the operator sets 11, 13, 17 and 26 five times or more, in 8 MB', async () => {
    const manifests = (await Promise.all(STEMS.map(committed))).map((one) => one.manifest)
    const count = (property: 'exporter' | 'opset', value: string | number): number =>
      manifests.filter((one) => one[property] === value).length
    for (const exporter of ['torchscript', 'dynamo']) expect(count('exporter', exporter), exporter).toBeGreaterThan(4)
    for (const opset of [11, 13, 17, 26]) expect(count('opset', opset), `opset ${opset}`).toBeGreaterThan(4)
    const bytes = FILES.reduce((total, file) => total + statSync(`${FOLDER}/${file}`).size, 0)
    expect(bytes).toBeLessThanOrEqual(8_000_000)
  })

  test.each(STEMS)(
    '%s has a golden at its input or embedding and at two inner taps, well conditioned',
    async (stem) => {
      const { manifest } = await committed(stem)
      const [outer, ...inner] = manifest.questions
      expect(['input', 'embedding']).toContain(outer?.kind)
      expect(inner.map((one) => one.kind)).toEqual(['inner', 'inner'])
      for (const { condition } of [manifest.logits, ...manifest.questions])
        expect(condition).toBeLessThan(NETWORK_GRADIENT / 10)
    },
  )
})

describe('values and gradients equal PyTorch’s', () => {
  test.each(Object.entries(PENDING))('%s lacks rules, and the error names them: %j', async (stem, operators) => {
    const network = await committed(stem)
    const model = await loadOnnxModel(network.path, { threads: 1 })
    try {
      await expect(compare(model, network)).rejects.toMatchObject({
        code: 'NOT_DIFFERENTIABLE',
        details: { operators },
      })
    } finally {
      await model.dispose()
    }
  })

  test.each(STEMS.filter((stem) => !(stem in PENDING)))('%s', async (stem) => {
    const network = await committed(stem)
    const model = await loadOnnxModel(network.path, { threads: 1 })
    try {
      const lacking = model.taps.filter((tap) => /No gradient rule/.test(tap.reason ?? ''))
      expect(lacking).toEqual([])
      for (const { kind, tap } of network.questions)
        if (kind !== 'inner') expect(model.taps.find((one) => one.id === tap)?.kind, tap).toBe(kind)
      for (const { what, error } of await compare(model, network))
        expect(error, what).toBeLessThanOrEqual(NETWORK_GRADIENT)
    } finally {
      await model.dispose()
    }
  })
})
