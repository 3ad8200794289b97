/** LeGrad where it is refused and what it asks; its numbers are torch-cam's (conformance-cams.test.ts) and, here, a literal loop's. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../../lib/engine/onnx/model/load.ts'
import { leGrad } from '../../../../lib/methods/image/legrad.ts'
import { float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { FINITE_DIFFERENCE } from '../../../helpers/tolerance.ts'

const FIXTURES = new URL('../../../fixtures/', import.meta.url)
const open = (path: string): Promise<ExplainableModel> =>
  loadOnnxModel(new URL(path, FIXTURES).pathname, { threads: 1 })
const picture = (side: number): FloatTensor =>
  float32(Array.from({ length: 3 * side * side }, (_, at) => Math.sin(at * 0.7) + Math.cos(at * at)), [1, 3, side, side]) // prettier-ignore

let model: ExplainableModel
const feeds = { image: picture(32) }
beforeAll(async () => {
  model = await open('conformance/cams/transformer.onnx')
})
afterAll(() => model.dispose())

describe('legrad', () => {
  it('at the last block of a mean of tokens it is the slope of the head’s score by the attention, by finite differences', async () => {
    const self = model.taps.filter(({ looksAt }) => looksAt === 'self')
    const last = self.at(-1)?.id ?? ''
    const tokens =
      model.taps.findLast(({ kind, grid, mapOf }) => kind === 'add' && grid && mapOf === undefined)?.id ?? ''
    const { map } = await runImageMethod(leGrad, model, { index: 1, feeds, params: { layers: 1 } })
    const { values } = await model.ask({ feeds, read: [last] })
    const weights = values[last] ?? float32([], [0])
    const [, heads = 0, queries = 0, keys = 0] = weights.dims
    /** The head's score of the mean token, with these attention weights. */
    const score = async (attention: FloatTensor): Promise<number> => {
      const behind = await model.ask({ feeds, from: { [last]: attention }, read: [tokens] })
      const { data, dims } = behind.values[tokens] ?? float32([], [0])
      const [, count = 0, size = 0] = dims
      const mean = Array.from({ length: size }, (_, e) => Array.from({ length: count }, (__, t) => data[t * size + e] ?? NaN).reduce((a, b) => a + b, 0) / count) // prettier-ignore
      const ended = float32(Array.from({ length: count * size }, (_, at) => mean[at % size] ?? NaN), [1, count, size]) // prettier-ignore
      const { values: scores } = await model.ask({ feeds, from: { [tokens]: ended }, read: [model.logits] })
      return scores[model.logits]?.data[1] ?? NaN
    }
    const patch = 6
    let expected = 0
    for (let row = 0; row < heads * queries; row += 1) {
      const moved = (by: number): FloatTensor =>
        float32(weights.data.map((one, at) => (at === row * keys + patch + 1 ? one + by : one)), weights.dims) // prettier-ignore
      const slope = ((await score(moved(0.05))) - (await score(moved(-0.05)))) / 0.1
      expected += Math.max(0, slope) / (heads * queries)
    }
    expect(expected).toBeGreaterThan(0)
    expect(Math.abs((map.data[patch] ?? NaN) - expected) / expected).toBeLessThan(FINITE_DIFFERENCE)
  })

  it('asks for one block at a time, from the tokens that go into it', async () => {
    const ask = vi.spyOn(model, 'ask')
    await runImageMethod(leGrad, model, { feeds })
    const asked = ask.mock.calls.map(([question]) => question)
    ask.mockRestore()
    expect(asked).toHaveLength(1 + 2 * 3)
    expect(asked.map(({ from }) => Object.keys(from ?? {}).length)).toEqual([0, 1, 0, 1, 1, 1, 1])
  })

  it('more blocks than there are is all of them', async () => {
    const [all, many] = [
      await runImageMethod(leGrad, model, { feeds }),
      await runImageMethod(leGrad, model, { feeds, params: { layers: 50 } }),
    ]
    expect(many).toEqual(all)
    expect(all.map.data.every((value) => value >= 0)).toBe(true)
  })

  it('is refused where attention looks at windows, with the reason', async () => {
    const swin = await open('networks/swin.onnx')
    await expect(runImageMethod(leGrad, swin, { feeds: { image: picture(40) } })).rejects.toMatchObject({
      code: 'METHOD_UNAVAILABLE',
    })
    await swin.dispose()
  })

  it('is refused where a block has no end, with the reason', async () => {
    const context = await imageContext(model, { of: leGrad, params: {} }, { feeds })
    const taps = context.facts.taps.filter(({ kind }) => kind !== 'add')
    await expect(leGrad.run({ ...context, facts: { ...context.facts, taps } }, { layers: null })).rejects.toThrow(
      /behind attention 1 of 3 no sum of tokens/,
    )
  })
})
