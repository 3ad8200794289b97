import { describe, expect, it, test } from 'vitest'
import { felzenszwalb } from '../../../../lib/image/segmentation/felzenszwalb.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'

interface Golden {
  readonly sample: string
  readonly height: number
  readonly width: number
  readonly rgb: string
  readonly felzenszwalb: {
    readonly scale: number
    readonly sigma: number
    readonly least: number
    readonly labels: string
  }
}

describe('against scikit-image', () => {
  it.each(goldens('segmentation') as Golden[])('$sample: every pixel', (golden) => {
    const { height, width, felzenszwalb: expected } = golden
    const rgb = Array.from(Buffer.from(golden.rgb, 'base64'), (level) => level / 255)
    const found = felzenszwalb(rgb, height, width, expected)
    expect([...found.labels]).toEqual([...Buffer.from(expected.labels, 'base64')])
    expect(found.count).toBe(1 + Math.max(...found.labels))
  })
})

const halves = Array.from({ length: 3 * 64 }, (_, at) => Number(Math.floor(at / 3) % 8 >= 4))

test('two halves of one colour each are two segments', () => {
  const { labels, count } = felzenszwalb(halves, 8, 8, { scale: 10, sigma: 0.2, least: 1 })
  expect(count).toBe(2)
  labels.forEach((label, at) => expect(label).toBe(Number(at % 8 >= 4)))
})

test('what is too small joins a neighbour', () => {
  const spot = Array.from({ length: 3 * 64 }, (_, at) => Number(Math.floor(at / 3) === 27))
  const choice = { scale: 1, sigma: 0.2, least: 1 }
  expect(felzenszwalb(spot, 8, 8, choice).count).toBe(2)
  expect(felzenszwalb(spot, 8, 8, { ...choice, least: 4 }).count).toBe(1)
})

test.each([
  [1, 1],
  [1, 9],
  [9, 1],
])('%i x %i', (height, width) => {
  const { labels, count } = felzenszwalb(new Array<number>(3 * height * width).fill(0.5), height, width, {
    scale: 100,
    sigma: 0.8,
    least: 20,
  })
  expect([count, new Set(labels).size]).toEqual([1, 1])
})
