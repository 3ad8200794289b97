/** Whole small networks: logits and gradients at the input or word embedding against PyTorch's. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { loadOnnxModel } from '../../../../lib/engine/onnx/load.ts'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { float32, int64, sizeOf, type FloatTensor, type Tensor } from '../../../../lib/tensor/tensor.ts'
import { NETWORK_GRADIENT, relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly kind: 'image' | 'text'
  readonly exporter: string
  readonly opset: number
  readonly feeds: Readonly<Record<string, readonly number[]>>
  readonly logits: readonly number[]
  readonly largest: number
  readonly shape: readonly number[]
  readonly gradient: readonly number[]
}
const folder = new URL('../../../fixtures/onnx/networks/', import.meta.url)
const goldens = JSON.parse(readFileSync(new URL('goldens.json', folder), 'utf8')) as {
  readonly stride: number
  readonly networks: Readonly<Record<string, Golden>>
}

/** What networks.py feeds: sin waves for pictures; ids that walk the vocabulary, the second row padded. */
function feedsOf(golden: Golden): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const [name, dims] of Object.entries(golden.feeds)) {
    const [rows = 1, length = 1] = dims
    const padded = (at: number): boolean => rows > 1 && Math.floor(at / length) === 1 && at % length >= length - 3
    const indices = Array.from({ length: sizeOf(dims) }, (_, at) => at)
    if (name === 'image')
      feeds[name] = float32(
        indices.map((at) => Math.fround(Math.sin(at * 0.7) + 0.5 * Math.sin(at * 0.0131 + 1))),
        dims,
      )
    else if (name === 'input_ids')
      feeds[name] = int64(
        indices.map((at) => (padded(at) ? 1 : ((at * 7) % 50) + 3)),
        dims,
      )
    else if (name === 'attention_mask')
      feeds[name] = int64(
        indices.map((at) => (padded(at) ? 0 : 1)),
        dims,
      )
    else
      feeds[name] = int64(
        indices.map(() => 0),
        dims,
      )
  }
  return feeds
}

function sourceTap(model: ExplainableModel, golden: Golden): string {
  if (golden.kind === 'image') return 'image'
  const tap = model.taps.find((one) => one.kind === 'embedding' && one.label.includes('word_embedding'))
  return tap?.id ?? model.taps.find((one) => one.kind === 'embedding')?.id ?? ''
}

describe.each(Object.entries(goldens.networks))('%s', (name, golden) => {
  test(`${golden.exporter}, opset ${golden.opset}: logits and gradients equal PyTorch's`, async () => {
    const model = await loadOnnxModel(fileURLToPath(new URL(`${name}.onnx`, folder)), { threads: 1 })
    try {
      expect(model.taps.filter((tap) => !tap.differentiable && /No gradient rule/.test(tap.reason ?? ''))).toEqual([])
      const tap = sourceTap(model, golden)
      const rows = golden.shape[0] ?? 1
      const classes = golden.logits.length / rows
      const weight = float32(
        Array.from({ length: golden.logits.length }, (_, at) => (at % classes === 1 ? 1 : 0)),
        [rows, classes],
      )
      const answer = await model.ask({
        feeds: feedsOf(golden),
        read: [model.logits],
        gradient: { of: { [model.logits]: weight }, wrt: [tap] },
      })
      expect(relativeDifference((answer.values[model.logits] as FloatTensor).data, golden.logits)).toBeLessThan(
        NETWORK_GRADIENT,
      )
      const gradient = answer.gradients[tap] as FloatTensor
      expect(gradient.dims).toEqual(golden.shape)
      const sampled = gradient.data.filter((_, at) => at % goldens.stride === 0)
      const difference = Math.max(...sampled.map((one, at) => Math.abs(one - (golden.gradient[at] ?? NaN))))
      expect(golden.largest).toBeGreaterThan(0)
      expect(difference / golden.largest).toBeLessThan(NETWORK_GRADIENT)
    } finally {
      await model.dispose()
    }
  })
})
