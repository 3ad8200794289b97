import { describe, expect, it, test } from 'vitest'
import { slic, type Segmentation } from '../../../../lib/image/segmentation/slic.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'

interface Golden {
  readonly sample: string
  readonly height: number
  readonly width: number
  readonly segments: number
  readonly compactness: number
  readonly rgb: string
  readonly slic: string
}

/** Pixels in one region with a neighbour of their own label, by flooding; how many regions a label has. */
function regionsPerLabel({ labels, count, height, width }: Segmentation): number[] {
  const seen = new Set<number>()
  const regions = new Array<number>(count).fill(0)
  labels.forEach((label, start) => {
    if (seen.has(start)) return
    regions[label] = (regions[label] ?? 0) + 1
    const open = [start]
    while (open.length > 0) {
      const at = open.pop() ?? -1
      if (seen.has(at)) continue
      seen.add(at)
      const x = at % width
      for (const next of [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width])
        if (next >= 0 && next < height * width && labels[next] === label) open.push(next)
    }
  })
  return regions
}

describe('against scikit-image', () => {
  it.each(goldens('segmentation') as Golden[])('$sample, $segments segments: every pixel', (golden) => {
    const { height, width, segments, compactness } = golden
    const found = slic(Buffer.from(golden.rgb, 'base64'), height, width, { segments, compactness })
    expect([...found.labels]).toEqual([...Buffer.from(golden.slic, 'base64')])
    expect(found.count).toBe(1 + Math.max(...found.labels))
    expect(regionsPerLabel(found).every((regions) => regions === 1)).toBe(true)
  })
})

const noise = (size: number): number[] => Array.from({ length: size }, (_, at) => (at * 7919) % 256)

test.each([
  [1, 1, 10],
  [1, 50, 5],
  [50, 1, 5],
  [3, 150, 20],
  [6, 6, 100],
  [8, 8, 1],
])('%i x %i in %i: each pixel is in a segment, and each segment has one', (height, width, segments) => {
  const found = slic(noise(3 * height * width), height, width, { segments, compactness: 10 })
  const used = new Set(found.labels)
  expect([...used].sort((a, b) => a - b)).toEqual(Array.from({ length: found.count }, (_, at) => at))
})

test('a picture of one colour falls into a grid, and its brightness does not matter', () => {
  const flat = slic(new Array<number>(3 * 64).fill(9), 8, 8, { segments: 4, compactness: 10 })
  expect(flat.count).toBe(4)
  const dim = noise(3 * 64).map((one) => one / 100)
  const [bright, dark] = [noise(3 * 64), dim].map((rgb) => slic(rgb, 8, 8, { segments: 6, compactness: 10 }))
  expect(dark).toEqual(bright)
})
