/** A network of ReLUs is linear around each input: its scores are what the picture and the biases contribute, and nothing else. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readNetwork } from '../../../../../bench/networks/network.ts'
import { given, gradient, multiply, sum, value } from '../../../../../lib/engine/formula.ts'
import { floatConstant } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { DataType } from '../../../../../lib/engine/onnx/graph/graph.ts'
import { loadOnnxModel } from '../../../../../lib/engine/onnx/model/load.ts'
import { loadGraph, graphOf, node } from '../../../../helpers/operator-model.ts'
import { float32, row } from '../../../../../lib/tensor/tensor.ts'
import { NETWORK_GRADIENT } from '../../../../helpers/tolerance.ts'

const FOLDER = fileURLToPath(new URL('../../../../fixtures/networks', import.meta.url))
/** Both exporters, biases folded into convolutions and beside them, branches that meet in sums and concatenations. */
const PIECEWISE_LINEAR = ['alexnet', 'vgg-bn', 'resnet', 'resnext', 'squeezenet', 'densenet', 'shufflenet-v2']

test.each(PIECEWISE_LINEAR)('%s is complete: gradient times input, and times every bias', async (stem) => {
  const network = await readNetwork(FOLDER, stem)
  if ('refused' in network) throw new Error(network.refused)
  const model = await loadOnnxModel(network.path, { threads: 1 })
  try {
    const [input = ''] = model.inputs
    const biases = (await model.layerBiases?.()) ?? []
    expect(biases.length).toBeGreaterThan(2)
    const terms = new Map(biases.map(({ tap }, at) => [`bias ${at}`, tap]))
    const everyAxis = (tap: string): number[] => (model.taps.find(({ id }) => id === tap)?.shape ?? []).slice(1).map((_, at) => at + 1) // prettier-ignore
    const classes = network.logits.dims[1] ?? 0
    for (const index of [0, classes - 1]) {
      const weights = new Float32Array(classes)
      weights[index] = 1
      const { computed, values } = await model.ask({
        feeds: Object.fromEntries(Object.entries(network.feeds).map(([name, feed]) => [name, float32((feed.data as Float32Array).subarray(0, feed.data.length / (feed.dims[0] ?? 1)), [1, ...feed.dims.slice(1)])])), // prettier-ignore
        read: [model.logits],
        gradient: { of: { [model.logits]: float32(weights, [1, classes]) }, wrt: [] },
        formulas: {
          shared: Object.fromEntries(biases.map((bias, at) => [`bias ${at}`, bias.value])),
          outputs: {
            input: sum(multiply(gradient(input), value(input)), [1, 2, 3]),
            ...Object.fromEntries(
              [...terms].map(([name, tap]) => [name, sum(multiply(gradient(tap), given(name)), everyAxis(tap))]),
            ),
          },
        },
      })
      const score = row(values[model.logits] ?? float32([], [0]), 0).data[index] ?? NaN
      const parts = Object.values(computed).map((one) => one.data[0] ?? NaN)
      const size = parts.reduce((all, one) => all + Math.abs(one), 0)
      const total = parts.reduce((all, one) => all + one, 0)
      expect(Math.abs(total - score) / size).toBeLessThan(NETWORK_GRADIENT)
      expect(Math.abs((computed['input']?.data[0] ?? NaN) - score) / size).toBeGreaterThan(NETWORK_GRADIENT)
    }
  } finally {
    await model.dispose()
  }
})

test('each has the shape that widens to what it is added to; factors and single numbers are none', async () => {
  const model = await loadGraph(
    graphOf({
      inputs: [{ name: 'x', type: DataType.float, shape: [1, 2, 3, 3] }],
      outputs: ['logits'],
      nodes: [
        node('BatchNormalization', ['x', 'scale', 'shift', 'mean', 'variance'], ['normal']),
        node('Conv', ['normal', 'kernel', 'three'], ['conv']),
        node('Mul', ['conv', 'map'], ['scaled']),
        node('Add', ['scaled', 'one'], ['more']),
        node('Sub', ['more', 'map'], ['less']),
        node('Sub', ['map', 'less'], ['turned']),
        node('GlobalAveragePool', ['turned'], ['pooled']),
        node('Flatten', ['pooled'], ['flat']),
        node('Gemm', ['flat', 'matrix', 'two'], ['logits'], { beta: { kind: 'float', value: 0.5 } }),
      ],
      constants: new Map([
        ['scale', floatConstant([2, 1], [2])],
        ['shift', floatConstant([0.5, -1], [2])],
        ['mean', floatConstant([1, 3], [2])],
        ['variance', floatConstant([4, 1], [2])],
        ['kernel', floatConstant([1, 2, 3, 4, 5, 6], [3, 2, 1, 1])],
        ['three', floatConstant([7, 8, 9], [3])],
        ['map', floatConstant([1, 2, 3], [3, 1, 1])],
        ['one', floatConstant([3], [1])],
        ['matrix', floatConstant([1, 2, 3, 4, 5, 6], [3, 2])],
        ['two', floatConstant([10, 20], [2])],
      ]),
    }),
  )
  const found = (await model.layerBiases()).map(({ tap, value: { dims, data } }) => [tap, dims, [...data].map((one) => Math.round(one * 1e3) / 1e3)]) // prettier-ignore
  expect(found).toEqual([
    ['normal', [1, 2, 1, 1], [-0.5, -4]],
    ['conv', [1, 3, 1, 1], [7, 8, 9]],
    ['less', [1, 3, 1, 1], [-1, -2, -3]],
    ['turned', [1, 3, 1, 1], [1, 2, 3]],
    ['logits', [1, 2], [5, 10]],
  ])
  await model.dispose()
})
