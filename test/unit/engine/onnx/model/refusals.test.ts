/** What a rule set has no rule for is known when a model is loaded: and where nothing is said, its gradient is answered. */
import { describe, expect, test } from 'vitest'
import { readNetwork } from '../../../../../bench/networks/network.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { float32, sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'

/** Fused and spelled-out attention, its guard against NaN, and two networks of pictures. */
const NETWORKS = [
  ['networks', 'bert', ['lrp']],
  ['networks', 'convnext', ['lrp']],
  ['networks', 'resnet', []],
  ['text-networks', 'modernbert', ['lrp']],
  ['conformance/texts', 'mlp', []],
] as const

describe.each(NETWORKS)('%s/%s', (folder, stem, expected) => {
  test('says which sets do not pass, and is right', async () => {
    const path = `test/fixtures/${folder}/${stem}.onnx`
    const network = folder === 'conformance/texts' ? null : await readNetwork(`test/fixtures/${folder}`, stem)
    if (network !== null && 'refused' in network) throw new Error(network.refused)
    const model = await loadOnnxModel(path, { threads: 1 })
    try {
      const words = model.taps.find(({ id, kind }) => id === model.defaultTap && kind === 'embedding')
      const tap = words?.id ?? model.inputs[0] ?? ''
      const said = await Promise.all(model.ruleSets.map(async ({ id }) => (await model.refusals?.(id)) ?? []))
      const refused = said.flat().filter(({ taps }) => taps.includes(tap))
      expect(refused.map(({ rules }) => rules)).toEqual(expected)
      if (network === null) return
      const { values } = await model.ask({ feeds: network.feeds, read: [tap, model.logits] })
      const { dims } = values[model.logits] as FloatTensor
      const blank = float32(
        new Float32Array(sizeOf((values[tap] as FloatTensor).dims)),
        (values[tap] as FloatTensor).dims,
      )
      const reference = words === undefined ? { feeds: { [tap]: blank } } : { from: { [tap]: blank } }
      for (const { id, needsReference } of model.ruleSets) {
        const answer = model.ask({
          feeds: network.feeds,
          read: [],
          gradient: {
            of: { [model.logits]: float32(new Float32Array(sizeOf(dims)).fill(1), dims) },
            wrt: [tap],
            rules: { id, ...(needsReference ? { reference } : {}) },
          },
        })
        if (refused.some(({ rules }) => rules === id))
          await expect(answer, id).rejects.toMatchObject({ code: 'NOT_DIFFERENTIABLE' })
        else expect((await answer).gradients[tap]?.data.every(Number.isFinite), id).toBe(true)
      }
    } finally {
      await model.dispose()
    }
  })
})
