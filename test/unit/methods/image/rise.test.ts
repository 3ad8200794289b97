import { describe, expect, it, test } from 'vitest'
import { interpret } from '../../../../lib/engine/interpret.ts'
import { given, matmul } from '../../../../lib/engine/formula.ts'
import { rise } from '../../../../lib/methods/image/rise.ts'
import { drawnMasks, MaskSums, riseMasks } from '../../../../lib/methods/image/shared/rise-masks.ts'
import { upsampleBilinear } from '../../../../lib/render/upsample.ts'
import { float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'
import { runImageMethod } from '../../../helpers/image-context.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'
import { inBatchesOf } from '../../../helpers/small-batches.ts'
import { TinyCnn, tinyFeed } from '../../../helpers/tiny-cnn.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly grid: number
  readonly share: number
  readonly target: number
  readonly cells: readonly (readonly number[])[]
  readonly shifts: readonly (readonly [number, number])[]
  readonly map: readonly number[]
}

describe('as a literal loop over the same masks', () => {
  it.each(goldens('rise') as Golden[])('grid $grid, share $share', ({ grid, share, target, cells, shifts, map }) => {
    const masks = riseMasks([6, 6], grid, (mask) => ({
      cells: Float32Array.from(cells[mask] ?? []),
      shift: shifts[mask] ?? [0, 0],
    }))
    const model = new TinyCnn()
    const picture = tinyFeed().data
    const shown = maskOf(masks.rows({ first: 0, count: cells.length }))
    const sums = new MaskSums(masks)
    cells.forEach((_, row) => {
      const seen = picture.map((value, at) => value * (shown.data[row * 36 + (at % 36)] ?? NaN))
      sums.add(row, model.forward(seen)['logits']?.[target] ?? NaN)
    })
    expect(relativeDifference(sums.map(1 / (share * cells.length)).data, map)).toBeLessThan(1e-6)
  })
})

function maskOf(rows: ReturnType<ReturnType<typeof riseMasks>['rows']>): FloatTensor {
  const mask = matmul(matmul(given('down'), given('cells')), given('across'))
  return interpret(mask, (leaf) => (leaf.kind === 'given' ? rows[leaf.name as keyof typeof rows] : unread()))
}
function unread(): never {
  throw new Error('no tap is read')
}

test('a mask is the enlarged grid, cut out at its shift', () => {
  const [height, width, grid] = [20, 31, 4]
  const masks = riseMasks([height, width], grid, drawnMasks([height, width], grid, 0.5, 9))
  const found = maskOf(masks.rows({ first: 3, count: 2 }))
  expect(found.dims).toEqual([2, 1, height, width])
  for (const row of [0, 1]) {
    const { cells, shift } = masks.drawn(3 + row)
    const [tall, wide] = masks.cell.map((side) => (grid + 1) * side) as [number, number]
    const large = upsampleBilinear(float32(cells, [grid, grid]), wide, tall).data
    for (const [y, x] of [
      [0, 0],
      [19, 30],
      [7, 11],
    ] as const)
      // prettier-ignore
      expect(found.data[(row * height + y) * width + x]).toBeCloseTo(large[(y + shift[0]) * wide + x + shift[1]] ?? NaN, 5)
  }
})

test('cells are open with the probability asked for, and shifts fall anywhere in a cell', () => {
  const draw = drawnMasks([12, 12], 3, 0.3, 0)
  const drawn = Array.from({ length: 1000 }, (_, mask) => draw(mask))
  const open = drawn.flatMap(({ cells }) => [...cells])
  expect(open.reduce((sum, one) => sum + one, 0) / open.length).toBeCloseTo(0.3, 1)
  expect(new Set(drawn.map(({ shift }) => shift[0]))).toEqual(new Set([0, 1, 2, 3]))
  expect(new Set(drawn.map(({ shift }) => shift[1])).size).toBe(4)
})

test('same seed same bytes, in batches of any size; another seed, another map', async () => {
  const params = { masks: 50 }
  const [whole, small] = [new TinyCnn(), inBatchesOf(3, new TinyCnn())]
  const expected = await runImageMethod(rise, whole, { params, seed: 4 })
  expect(await runImageMethod(rise, small, { params, seed: 4 })).toEqual(expected)
  expect(small.asked.length).toBeGreaterThan(whole.asked.length)
  expect((await runImageMethod(rise, whole, { params, seed: 5 })).map.data).not.toEqual(expected.map.data)
})

test('what a model sees of one corner only stands out there', async () => {
  const model = new TinyCnn()
  const clean = tinyFeed().data.map((_, at) => Number(at % 36 < 3 || (at % 36 >= 6 && at % 36 < 9)))
  const { map } = await runImageMethod(rise, model, {
    params: { masks: 2000, grid: 3 },
    feeds: { input: float32(clean, [1, 3, 6, 6]) },
    index: model.forward(clean)['logits']?.findIndex((one, _at, all) => one === Math.max(...all)) ?? 0,
  })
  const inside = [0, 1, 6, 7].reduce((sum, at) => sum + (map.data[at] ?? NaN), 0) / 4
  const outside = [28, 29, 34, 35].reduce((sum, at) => sum + (map.data[at] ?? NaN), 0) / 4
  expect(Math.abs(inside - outside)).toBeGreaterThan(0.01)
})
