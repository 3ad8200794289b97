/** The bench's inner loops give what a literal, channel by channel reading of the papers gives. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ablationCamWeights, scoreCamWeights, type Explained } from '../../../bench/loops/cams.ts'
import { imageIntegratedGradients, saliency } from '../../../bench/loops/image-gradients.ts'
import { enlarging } from '../../../bench/loops/enlarging.ts'
import { NetworkBuilder } from '../../../bench/random/network.ts'
import { given, matmul } from '../../../lib/engine/formula.ts'
import { interpret } from '../../../lib/engine/interpret.ts'
import type { ExplainableModel } from '../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../lib/engine/onnx/model/load.ts'
import { float32, type FloatTensor } from '../../../lib/tensor/tensor.ts'
import { normals } from '../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../helpers/tolerance.ts'

const SIDE = 12
/** Two batches of Ablation-CAM and six of Score-CAM, the last ones not full. */
const CHANNELS = 83
const CLASSES = 4
const TARGET = 2

let folder: string
let model: ExplainableModel
let explained: Explained

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-cams-'))
  const net = new NetworkBuilder(5)
  const first = net.relu('relu1', net.conv('conv1', 'image', 3, 8, 3, { stride: 2 }))
  const last = net.relu('relu2', net.conv('conv2', first, 8, CHANNELS, 3, { stride: 2 }))
  net.head(last, CHANNELS, CLASSES)
  const path = join(folder, 'tiny.onnx')
  await writeFile(path, net.bytes('tiny', SIDE))
  model = await loadOnnxModel(path, { threads: 1 })
  explained = { model, image: float32(normals(3 * SIDE * SIDE, 1), [1, 3, SIDE, SIDE]), lastMap: last, target: TARGET }
})
afterAll(async () => {
  await model.dispose()
  await rm(folder, { recursive: true, force: true })
})

async function logit(question: Parameters<ExplainableModel['ask']>[0]): Promise<number> {
  const { values } = await model.ask({ ...question, read: [model.logits] })
  return values[model.logits]?.data[TARGET] ?? NaN
}

async function lastMap(): Promise<FloatTensor> {
  const { values } = await model.ask({ feeds: { image: explained.image }, read: [explained.lastMap] })
  const map = values[explained.lastMap]
  if (map === undefined) throw new Error('no map')
  return map
}

/** The value between four cells, corner cells on corner pixels. */
function between(cells: readonly (readonly number[])[], y: number, x: number): number {
  const [rows, columns] = [cells.length, cells[0]?.length ?? 0]
  const [v, u] = [(y * (rows - 1)) / (SIDE - 1), (x * (columns - 1)) / (SIDE - 1)]
  let value = 0
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      value +=
        Math.max(0, 1 - Math.abs(v - row)) * Math.max(0, 1 - Math.abs(u - column)) * (cells[row]?.[column] ?? NaN)
  return value
}

/** The picture behind the mask of a channel, by definition. */
function maskedLiterally(map: FloatTensor, channel: number): Float32Array {
  const [, , rows = 0, columns = 0] = map.dims
  const cells = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => map.data[(channel * rows + row) * columns + column] ?? NaN),
  )
  const large = Array.from({ length: SIDE * SIDE }, (_, at) => between(cells, Math.floor(at / SIDE), at % SIDE))
  const [least, most] = [Math.min(...large), Math.max(...large)]
  const mask = large.map((value) => (value - least) / (most - least + 1e-8))
  return explained.image.data.map((value, at) => value * (mask[at % (SIDE * SIDE)] ?? NaN))
}

describe('enlarging', () => {
  it('makes of a map what lies between its cells, corners on corners', () => {
    const cells = [
      [1, 5, -2],
      [0, 3, 7],
    ]
    const [down, across] = [enlarging(2, SIDE, 'down'), enlarging(3, SIDE, 'across')]
    const tensors = { down, cells: float32(cells.flat(), [1, 1, 2, 3]), across }
    const formula = matmul(matmul(given('down'), given('cells')), given('across'))
    const large = interpret(formula, (leaf) => tensors[leaf.kind === 'given' ? (leaf.name as 'cells') : 'cells'])
    expect(large.dims).toEqual([1, 1, SIDE, SIDE])
    const expected = Array.from({ length: SIDE * SIDE }, (_, at) => between(cells, Math.floor(at / SIDE), at % SIDE))
    expect(relativeDifference(large.data, expected)).toBeLessThan(FLOAT32)
  })

  it('repeats a single cell', () => {
    expect([...enlarging(1, 3, 'down').data]).toEqual([1, 1, 1])
  })
})

describe('scoreCamWeights', () => {
  it('is the softmax over the channels of the logit behind each mask', async () => {
    const map = await lastMap()
    const scores: number[] = []
    for (let channel = 0; channel < CHANNELS; channel++)
      scores.push(
        await logit({ feeds: { image: float32(maskedLiterally(map, channel), [1, 3, SIDE, SIDE]) }, read: [] }),
      )
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0)
    const { weights } = await scoreCamWeights(explained)
    expect(weights).toHaveLength(CHANNELS)
    expect(
      relativeDifference(
        weights,
        scores.map((score) => Math.exp(score) / total),
      ),
    ).toBeLessThan(FLOAT32)
  })
})

describe('ablationCamWeights', () => {
  it('is the relative loss of the logit when a channel is zero', async () => {
    const map = await lastMap()
    const area = map.data.length / CHANNELS
    const whole = await logit({ feeds: { image: explained.image }, read: [] })
    const expected: number[] = []
    for (let channel = 0; channel < CHANNELS; channel++) {
      const data = map.data.map((value, at) => (Math.floor(at / area) === channel ? 0 : value))
      const ablated = await logit({ from: { [explained.lastMap]: float32(data, map.dims) }, read: [] })
      expected.push((whole - ablated) / whole)
    }
    const { weights } = await ablationCamWeights(explained)
    expect(relativeDifference(weights, expected)).toBeLessThan(10 * FLOAT32) // differences of near numbers
  })
})

describe('imageIntegratedGradients', () => {
  it('adds up to the difference from a black picture, in any batches', async () => {
    const question = { ...explained, classes: CLASSES }
    const [one, seven] = await Promise.all([
      imageIntegratedGradients(question, 40, 1),
      imageIntegratedGradients(question, 40, 7),
    ])
    expect(relativeDifference(seven.data, one.data)).toBeLessThan(FLOAT32)
    const black = float32(new Float32Array(explained.image.data.length), explained.image.dims)
    const expected =
      (await logit({ feeds: { image: explained.image }, read: [] })) -
      (await logit({ feeds: { image: black }, read: [] }))
    const sum = one.data.reduce((total, value) => total + value, 0)
    expect(Math.abs(sum - expected)).toBeLessThan(0.02 * Math.abs(expected)) // 40 points of a piecewise linear network
    expect(relativeDifference((await saliency(question)).data, one.data)).toBeGreaterThan(0.01)
  })
})
