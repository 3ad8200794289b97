/** Fused operators written out: the values of ONNX Runtime's own kernels. Their gradients are in the table of rules. */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { decompose, DECOMPOSITIONS } from '../../../../../lib/engine/onnx/prepare/decompose.ts'
import { prepareGraph } from '../../../../../lib/engine/onnx/prepare/prepare-graph.ts'
import { readModel } from '../../../../../lib/engine/onnx/file/read-model.ts'
import { operatorKey } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { writeModel } from '../../../../../lib/engine/onnx/file/write-model.ts'
import { sizeOf, type FloatTensor } from '../../../../../lib/tensor/tensor.ts'
import { row, x } from '../../../../fixtures/onnx/operator-rows.ts'
import { ROWS } from '../../../../fixtures/onnx/rows.ts'
import { graphOf, node } from '../../../../helpers/operator-model.ts'
import { rowCase, rowGraph } from '../../../../helpers/row-model.ts'
import { FLOAT32, relativeDifference } from '../../../../helpers/tolerance.ts'

/** So small that the epsilon counts: for finite differences the steps would be too large. */
const small = [x([2, 8], { scale: 0.01 }), x([2, 8], { scale: 0.01 }), x([8])]
const rows = [
  ...ROWS,
  row('SkipSimplifiedLayerNormalization', 'no epsilon stated', small, {}, { domain: 'com.microsoft' }),
].filter((one) => (one.domain ? `${one.domain}:${one.operator}` : one.operator) in DECOMPOSITIONS)

describe.each(rows.map((one) => [one.name, one] as const))('%s', (_, fused) => {
  it('is what the fused kernel computes', async () => {
    const { graph, feeds, output } = rowGraph(fused, 'fixed')
    const session = await InferenceSession.create(writeModel(graph), { graphOptimizationLevel: 'disabled' })
    const given = Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new RuntimeTensor(type, data, dims),
    ])
    const expected = (await session.run(Object.fromEntries(given) as Record<string, RuntimeTensor>))[output]
    await session.release()
    const one = await rowCase(fused, 'fixed')
    const { values } = await one.model.ask({ feeds, read: [output] })
    await one.model.dispose()
    const found = values[output] as FloatTensor
    expect(found.dims).toEqual(expected?.dims)
    expect(sizeOf(found.dims)).toBeGreaterThan(0)
    expect(relativeDifference(found.data, expected?.data as Float32Array)).toBeLessThan(FLOAT32)
  })
  it('leaves no fused operator', async () => {
    const graph = await prepareGraph(await readModel(writeModel(rowGraph(fused, 'fixed').graph)))
    expect(graph.nodes.map(operatorKey).filter((key) => key in DECOMPOSITIONS)).toEqual([])
    expect(decompose(graph)).toBe(graph)
  })
})

it('the layout of one machine is refused by name, saying how to save the model without it', () => {
  const nodes = [node('Conv', ['x', 'w'], ['y'], {}, 'com.microsoft.nchwc')]
  const graph = graphOf({ nodes, inputs: [], outputs: ['y'], constants: new Map() })
  const plain = decompose(graph)
  expect(plain.nodes.map((one) => [operatorKey(one), one.obstacle])).toEqual([
    ['com.microsoft.nchwc:Conv', 'save the optimised model below ORT_ENABLE_ALL'],
  ])
  expect(decompose(plain)).toBe(plain)
})
