import { describe, expect, test } from 'vitest'
import { cellMeans, correlationsOf } from '../../../lib/compare/correlations.ts'
import { randomStream } from '../../../lib/methods/shared/random.ts'
import { float32, type FloatTensor } from '../../../lib/tensor/tensor.ts'

function drawn(seed: number, dims: readonly number[], levels = Infinity): FloatTensor {
  const { uniform } = randomStream(seed, 'test')
  const one = (): number => (levels === Infinity ? uniform() - 0.5 : Math.floor(uniform() * levels) - 1)
  return float32(Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, one), dims)
}

/** Each value's rank by counting those below and those alike: ties share the mean of theirs. */
function literalRanks(values: readonly number[]): number[] {
  return values.map((one) => {
    const below = values.filter((other) => other < one).length
    const alike = values.filter((other) => other === one).length
    return below + (alike + 1) / 2
  })
}

function literalSpearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [literalRanks(a), literalRanks(b)]
  const mean = (x.length + 1) / 2
  const sum = (of: (at: number) => number): number => x.reduce((total, _, at) => total + of(at), 0)
  const dx = (at: number): number => (x[at] ?? NaN) - mean
  const dy = (at: number): number => (y[at] ?? NaN) - mean
  return sum((at) => dx(at) * dy(at)) / Math.sqrt(sum((at) => dx(at) ** 2) * sum((at) => dy(at) ** 2))
}

/** The mean over a cell of a map blown up, so that every element is `times` x `times` equal ones and cells cover whole ones. */
function literalMeans({ data, dims }: FloatTensor, height: number, width: number): number[] {
  const [rows = 0, columns = 0] = dims
  return Array.from({ length: height * width }, (_, cell) => {
    const [top, left] = [Math.floor(cell / width) * rows, (cell % width) * columns]
    let sum = 0
    for (let y = top; y < top + rows; y += 1)
      for (let x = left; x < left + columns; x += 1)
        sum += data[Math.floor(y / height) * columns + Math.floor(x / width)] ?? NaN
    return sum / (rows * columns)
  })
}

describe('a map at a coarser grid', () => {
  test.each([
    [8, 8, 4, 2],
    [7, 5, 3, 4],
    [14, 14, 14, 14],
    [224, 3, 7, 1],
  ])('%i x %i at %i x %i has the mean of what each cell covers', (rows, columns, height, width) => {
    const map = drawn(rows, [rows, columns])
    const expected = literalMeans(map, height, width)
    expect([...cellMeans(map, height, width)].map((one, at) => Math.abs(one - (expected[at] ?? NaN)))).toSatisfy(
      (differences: number[]) => differences.every((one) => one < 1e-12),
    )
  })
})

describe('correlations', () => {
  test('of every pair, ties sharing their ranks, signed and of sizes, as a literal count has it', () => {
    const maps = [drawn(1, [4, 6], 4), drawn(2, [4, 6], 3), drawn(3, [4, 6])]
    const found = correlationsOf(maps)
    expect(found.map(({ first, second, parts }) => [first, second, parts])).toEqual([
      [0, 1, 24],
      [0, 2, 24],
      [1, 2, 24],
    ])
    for (const { first, second, signed, absolute } of found) {
      const [a, b] = [[...(maps[first]?.data ?? [])], [...(maps[second]?.data ?? [])]]
      expect(signed).toBeCloseTo(literalSpearman(a, b), 12)
      expect(absolute).toBeCloseTo(literalSpearman(a.map(Math.abs), b.map(Math.abs)), 12)
    }
  })

  test('of maps of two resolutions meet at the coarser one; the sizes are taken before the means', () => {
    const [fine, coarse] = [drawn(4, [9, 6]), drawn(5, [3, 4])]
    const [only] = correlationsOf([fine, coarse])
    expect(only?.parts).toBe(12)
    expect(only?.signed).toBeCloseTo(literalSpearman(literalMeans(fine, 3, 4), [...coarse.data]), 12)
    const sizes = float32(fine.data.map(Math.abs), fine.dims)
    expect(only?.absolute).toBeCloseTo(literalSpearman(literalMeans(sizes, 3, 4), [...coarse.data].map(Math.abs)), 12)
  })

  test('of texts are over tokens; a reversed sign is no other size', () => {
    const scores = float32([0.2, -0.5, 0.1, 0.9], [4])
    const negative = float32([-0.2, 0.5, -0.1, -0.9], [4])
    expect(correlationsOf([scores, negative])).toEqual([{ first: 0, second: 1, signed: -1, absolute: 1, parts: 4 }])
  })

  test('are not defined beside what does not vary', () => {
    const flat = float32([1, -1, 1, -1], [4])
    expect(correlationsOf([flat, float32([1, 2, 3, 4], [4])])).toMatchObject([{ absolute: null }])
    expect(correlationsOf([float32([1], [1]), float32([2], [1])])).toMatchObject([{ signed: null, absolute: null }])
    expect(correlationsOf([flat])).toEqual([])
  })
})
