/** Random weights in the last layers: those alone, of the same size and spread, the same for the same draws. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RandomWeights } from '../../../../../lib/engine/model.ts'
import { floatConstant, floatsOf } from '../../../../../lib/engine/onnx/graph/constant.ts'
import { withRandomWeights } from '../../../../../lib/engine/onnx/prepare/randomise.ts'
import { randomStream } from '../../../../../lib/methods/shared/random.ts'
import { listModels } from '../../../../../lib/models/catalogue.ts'
import { loadModel, openNetwork, type LoadedModel } from '../../../../../lib/models/load.ts'
import { float32, sizeOf } from '../../../../../lib/tensor/tensor.ts'
import { graphOf, node } from '../../../../helpers/operator-model.ts'
import { normals } from '../../../../helpers/random.ts'

const randomly = (share: number, seed = 0): RandomWeights => ({
  share,
  normal: (layer) => randomStream(seed, 'weights', layer).normal,
})
const kernel = (seed: number, dims: readonly number[]) => floatConstant(normals(sizeOf(dims), seed), dims)

/** Two convolutions, the second with a bias, and a matrix that both products share. */
const graph = graphOf({
  nodes: [
    node('Conv', ['x', 'first'], ['a']),
    node('Relu', ['a'], ['b']),
    node('Conv', ['b', 'second', 'bias'], ['c']),
    node('MatMul', ['c', 'shared'], ['d']),
    node('MatMul', ['d', 'shared'], ['e']),
    node('Add', ['e', 'bias'], ['y']),
  ],
  inputs: [{ name: 'x', type: 1, shape: [1, 3, 8, 8] }],
  outputs: ['y'],
  constants: new Map([
    ['first', kernel(1, [4, 3, 1, 1])],
    ['second', kernel(2, [32, 4, 3, 3])],
    ['bias', kernel(3, [1])],
    ['shared', kernel(4, [8, 8])],
  ]),
  opset: 17,
  domains: [],
})
const weightsAt = (made: typeof graph, at: number): Float32Array => {
  const name = made.nodes[at]?.inputs[1] ?? ''
  const constant = made.constants.get(name)
  if (constant === undefined) throw new Error(`no constant ${name}`)
  return floatsOf(constant)
}

test('the last layers have other numbers of the same mean and deviation; all else stays', () => {
  const made = withRandomWeights(graph, randomly(0.75))
  expect(weightsAt(made, 0)).toEqual(weightsAt(graph, 0))
  const [learnt, drawn] = [weightsAt(graph, 2), weightsAt(made, 2)]
  expect(drawn).not.toEqual(learnt)
  const mean = (values: Float32Array) => values.reduce((sum, one) => sum + one, 0) / values.length
  const spread = (values: Float32Array) => Math.sqrt(mean(values.map((one) => (one - mean(values)) ** 2)))
  expect(mean(drawn)).toBeCloseTo(mean(learnt), 0)
  expect(spread(drawn) / spread(learnt)).toBeGreaterThan(0.9)
  expect(spread(drawn) / spread(learnt)).toBeLessThan(1.1)
  expect(made.nodes[2]?.inputs[2]).toBe('bias')
  expect(made.constants.get('bias')).toBe(graph.constants.get('bias'))
  expect(made.nodes.map(({ outputs }) => outputs)).toEqual(graph.nodes.map(({ outputs }) => outputs))
})

test('weights that two layers share are drawn for the upper one alone, where only it is meant', () => {
  const made = withRandomWeights(graph, randomly(0.25))
  expect(weightsAt(made, 3)).toEqual(weightsAt(graph, 3))
  expect(weightsAt(made, 4)).not.toEqual(weightsAt(graph, 4))
})

test('the same draws make the same graph, others another; a layer is the same however many there are', () => {
  const [one, again, other] = [randomly(0.5), randomly(0.5), randomly(0.5, 1)].map((draws) =>
    withRandomWeights(graph, draws),
  )
  expect(weightsAt(one as typeof graph, 4)).toEqual(weightsAt(again as typeof graph, 4))
  expect(weightsAt(one as typeof graph, 4)).not.toEqual(weightsAt(other as typeof graph, 4))
  expect(weightsAt(withRandomWeights(graph, randomly(1)), 4)).toEqual(weightsAt(one as typeof graph, 4))
})

test('a graph without weights cannot be randomised', () => {
  expect(() => withRandomWeights({ ...graph, constants: new Map() }, randomly(1))).toThrow(/no float weights/)
})

let loaded: LoadedModel
beforeAll(async () => {
  const models = await listModels(join(import.meta.dirname, '../../../../../models'))
  const entry = models.find(({ id }) => id === 'pets-cnn')
  if (entry === undefined) throw new Error('models/pets-cnn is missing')
  loaded = await loadModel(entry)
})
afterAll(() => loaded.model.dispose())

test('a real model keeps its taps and its loaded self, and says something else', async () => {
  const picture = float32(normals(3 * 224 * 224, 5), [1, 3, 224, 224])
  const question = { feeds: { [loaded.model.inputs[0] ?? '']: picture }, read: [loaded.model.logits] }
  const before = await loaded.model.ask(question)
  const random = await openNetwork(loaded.entry, { randomWeights: randomly(0.5) })
  expect(random.taps).toEqual(loaded.model.taps)
  const { values } = await random.ask(question)
  await random.dispose()
  expect(values[loaded.model.logits]?.data.every(Number.isFinite)).toBe(true)
  expect(values).not.toEqual(before.values)
  expect(await loaded.model.ask(question)).toEqual(before)
})
