/** Rows made where the model runs give what the same inputs give one by one, in any batches. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explaining } from '../../../../bench/loops/explaining.ts'
import { NetworkBuilder } from '../../../../bench/random/network.ts'
import { given, multiply, resize, square } from '../../../../lib/engine/formula.ts'
import { interpret } from '../../../../lib/engine/interpret.ts'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import { loadOnnxModel } from '../../../../lib/engine/onnx/model/load.ts'
import { channelRows, weightedChannels, withoutEachChannel } from '../../../../lib/methods/image/shared/channels.ts'
import { behindMasks, byItsExtremes } from '../../../../lib/methods/image/shared/masked-picture.ts'
import { batchesOf } from '../../../../lib/methods/shared/batches.ts'
import {
  everyScalar,
  scalarsOfRows,
  summedOverRows,
  type Explaining,
  type MadeRows,
} from '../../../../lib/methods/shared/made-rows.ts'
import { noisyRows } from '../../../../lib/methods/shared/noise-rows.ts'
import { straightPath } from '../../../../lib/methods/shared/path-rows.ts'
import { scalarOf, stateScalar } from '../../../../lib/target/scalar.ts'
import type { Target } from '../../../../lib/target/target.ts'
import { quadrature } from '../../../../lib/tensor/quadrature.ts'
import { float32, row, zeros, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { normals } from '../../../helpers/random.ts'
import { FLOAT32, relativeDifference } from '../../../helpers/tolerance.ts'

const SIDE = 12
const CHANNELS = 10
const CLASSES = 4
const TARGETS: readonly Target[] = [
  { kind: 'logit', index: 2 },
  { kind: 'probability', index: 1 },
]

let folder: string
let model: ExplainableModel
let lastMap: string
const picture = float32(normals(3 * SIDE * SIDE, 1), [1, 3, SIDE, SIDE])
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limelight-rows-'))
  const net = new NetworkBuilder(5)
  const first = net.relu('relu1', net.conv('conv1', 'image', 3, 8, 3, { stride: 2 }))
  lastMap = net.relu('relu2', net.conv('conv2', first, 8, CHANNELS, 3, { stride: 2 }))
  net.head(lastMap, CHANNELS, CLASSES)
  await writeFile(join(folder, 'tiny.onnx'), net.bytes('tiny', SIDE))
  model = await loadOnnxModel(join(folder, 'tiny.onnx'), { threads: 1 })
})
afterAll(async () => {
  await model.dispose()
  await rm(folder, { recursive: true, force: true })
})

const asking = (target: Target): Explaining => ({ ...explaining(model, 0), target })

/** The rows written out, one after another. */
function writtenOut(rows: MadeRows): FloatTensor[] {
  return batchesOf({ total: rows.total, perQuestion: 1 }).map((batch) => {
    const tensors = { ...rows.shared, ...rows.perRow(batch) }
    return interpret(rows.at, (leaf) => tensors[leaf.kind === 'given' ? leaf.name : ''] as FloatTensor)
  })
}

async function scalarAt(place: string, input: FloatTensor, target: Target): Promise<number> {
  const given = place === 'image' ? { feeds: { image: input } } : { from: { [place]: input } }
  const { values } = await model.ask({ ...given, read: [model.logits] })
  return scalarOf(target, row(values[model.logits] as FloatTensor, 0).data)
}

async function gradientAt(input: FloatTensor, target: Target): Promise<Float32Array> {
  const { of, perRow } = stateScalar(target, asking(target).head)
  const { gradients } = await model.ask({
    feeds: { image: input },
    read: [],
    gradient: { of, wrt: ['image'] },
    formulas: { perRow },
  })
  return (gradients['image'] as FloatTensor).data
}

async function map(): Promise<FloatTensor> {
  const { values } = await model.ask({ feeds: { image: picture }, read: [lastMap] })
  return values[lastMap] as FloatTensor
}

describe.each(TARGETS)('the scalars of rows, $kind', (target) => {
  const check = async (rows: MadeRows) => {
    const literal: number[] = []
    for (const input of writtenOut(rows)) literal.push(await scalarAt(rows.place, input, target))
    expect(new Set(literal).size).toBeGreaterThan(1)
    for (const perQuestion of [1, 4, 100])
      expect(relativeDifference(await everyScalar(asking(target), rows, perQuestion), literal)).toBeLessThan(FLOAT32)
  }

  it('of channels taken out of a map', async () => {
    const rows = withoutEachChannel(lastMap, await map())
    const third = writtenOut(rows)[3] as FloatTensor
    expect(third.dims).toEqual([1, CHANNELS, 3, 3])
    third.data.forEach((value, at) => {
      if (Math.floor(at / 9) === 3) expect(value).toBe(0)
    })
    await check(rows)
  })

  it('of a picture behind a mask of each channel', async () => {
    const activation = await map()
    await check(
      behindMasks(
        { input: 'image', picture },
        {
          total: CHANNELS,
          mask: byItsExtremes(resize(given('channel'), [SIDE, SIDE])),
          perRow: (batch) => ({ channel: channelRows(activation, batch) }),
        },
      ),
    )
  })

  it('of noise', async () => {
    await check(noisyRows('image', picture, 6, { deviation: 0.2, seed: 1, purpose: 'noise' }))
  })
})

it('scalars come a batch at a time, in order', async () => {
  const rows = noisyRows('image', picture, 5, { deviation: 1, seed: 1, purpose: 'noise' })
  const seen: number[][] = []
  for await (const { first, count, scalars } of scalarsOfRows(asking({ kind: 'logit', index: 0 }), rows, 2))
    seen.push([first, count, scalars.length])
  expect(seen).toEqual([
    [0, 2, 2],
    [2, 2, 2],
    [4, 1, 1],
  ])
})

describe('behindMasks', () => {
  it('puts the filling where the mask is 0, and shares where it is between', () => {
    const filling = float32([9, 8, 7], [1, 3, 1, 1])
    const masks = float32([1, 0, 0.25, 1, 1, 1, 1, 0], [2, 1, 2, 2])
    const small = float32([1, 2, 3, 4, 1, 1, 1, 1, 0, 0, 0, 0], [1, 3, 2, 2])
    const { at, shared, perRow } = behindMasks(
      { input: 'image', picture: small },
      { total: 2, mask: given('mask'), perRow: () => ({ mask: masks }), filling },
    )
    const tensors = { ...shared, ...perRow({ first: 0, count: 2 }) }
    const made = interpret(at, (leaf) => tensors[leaf.kind === 'given' ? leaf.name : ''] as FloatTensor)
    expect(made.dims).toEqual([2, 3, 2, 2])
    expect([...made.data]).toEqual([1, 9, 7.5, 4, 1, 8, 6.25, 1, 0, 7, 5.25, 0, 1, 2, 3, 9, 1, 1, 1, 8, 0, 0, 0, 7])
  })

  it('byItsExtremes: 0 to 1 in each map, zeros where it is constant', () => {
    const maps = float32([1, 3, 2, 5, 7, 7, 7, 7], [2, 1, 2, 2])
    const found = interpret(byItsExtremes(given('maps')), () => maps)
    expect(relativeDifference(found.data, [0, 0.5, 0.25, 1, 0, 0, 0, 0])).toBeLessThan(FLOAT32)
  })
})

describe.each(TARGETS)('sums over rows, $kind', (target) => {
  it('SmoothGrad and its variance: as one noisy picture after another says, in any batches', async () => {
    const rows = noisyRows('image', picture, 7, { deviation: 0.3, seed: 5, purpose: 'noise' })
    const slopes: Float32Array[] = []
    for (const input of writtenOut(rows)) slopes.push(await gradientAt(input, target))
    const total = (of: (slope: number) => number) =>
      Float64Array.from(picture.data, (_, at) => slopes.reduce((sum, slope) => sum + of(slope[at] ?? NaN), 0))
    for (const perQuestion of [1, 3, 7]) {
      const sums = await summedOverRows(asking(target), rows, perQuestion)
      expect(
        relativeDifference(
          sums,
          total((slope) => slope),
        ),
      ).toBeLessThan(FLOAT32)
      const squares = await summedOverRows(asking(target), rows, perQuestion, square)
      expect(
        relativeDifference(
          squares,
          total((slope) => slope ** 2),
        ),
      ).toBeLessThan(FLOAT32)
    }
  })

  it('integrated gradients from a baseline add up', async () => {
    const baseline = float32(normals(picture.data.length, 9), picture.dims)
    const { nodes, weights } = quadrature('gauss-legendre', 64)
    const path = straightPath(picture, baseline)
    const rows: MadeRows = {
      place: 'image',
      total: nodes.length,
      at: path.at,
      shared: path.shared,
      perRow: ({ first, count }) => ({
        ...path.perRow(nodes.slice(first, first + count)),
        weight: float32(weights.slice(first, first + count), [count, 1, 1, 1]),
      }),
    }
    const sums = await summedOverRows(asking(target), rows, 10, (slope) => multiply(given('weight'), slope))
    const attributed = sums.reduce(
      (sum, one, at) => sum + one * ((picture.data[at] ?? NaN) - (baseline.data[at] ?? NaN)),
      0,
    )
    const expected = (await scalarAt('image', picture, target)) - (await scalarAt('image', baseline, target))
    expect(Math.abs(attributed - expected)).toBeLessThan(0.02 * Math.abs(expected)) // a piecewise smooth network
  })
})

describe('rows do not depend on the batches', () => {
  it('noise is the same number for number', () => {
    const rows = noisyRows('image', picture, 9, { deviation: 0.3, seed: 5, purpose: 'noise' })
    const inBatches = (perQuestion: number) =>
      batchesOf({ total: 9, perQuestion }).flatMap((batch) => [...(rows.perRow(batch)['noise']?.data ?? [])])
    expect(inBatches(4)).toEqual(inBatches(1))
    expect(inBatches(9)).toEqual(inBatches(1))
    const deviation = Math.sqrt(inBatches(9).reduce((sum, one) => sum + one * one, 0) / (9 * picture.data.length))
    expect(Math.abs(deviation - 0.3)).toBeLessThan(0.3 * (4 / Math.sqrt(2 * 9 * picture.data.length)))
  })

  it('a path from zeros is one from a baseline of zeros', () => {
    const ends = [straightPath(picture, null), straightPath(picture, zeros(picture.dims))] as const
    const [a, b] = ends.map(({ at, shared, perRow }) => {
      const tensors = { ...shared, ...perRow([0, 0.25, 1]) }
      return interpret(at, (leaf) => tensors[leaf.kind === 'given' ? (leaf.name as 'way') : 'way'] as FloatTensor)
    })
    expect(a?.dims).toEqual(b?.dims)
    expect(relativeDifference(a?.data ?? [], b?.data ?? [1])).toBe(0) // a zero of either sign
    expect([...row(a as FloatTensor, 2).data]).toEqual([...picture.data])
  })
})

it('weightedChannels: the sum of a map\u2019s channels, each with its weight', () => {
  const small = float32([1, 2, 3, 4, 10, 20, 30, 40], [1, 2, 2, 2])
  expect(weightedChannels(small, [2, -0.5])).toEqual(float32([-3, -6, -9, -12], [2, 2]))
})
