import { describe, expect, test } from 'vitest'
import { controlsOfImage, controlsOfText, summarised } from '../../../lib/metrics/controls.ts'
import { sobelMagnitude } from '../../../lib/metrics/image/shared/edges.ts'
import { deletion } from '../../../lib/metrics/image/deletion.ts'
import { tauLoo } from '../../../lib/metrics/text/tau-loo.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'
import { judgedImage, judgedText, SIDE } from '../../helpers/metric-cases.ts'

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

describe('controls', () => {
  test('of a picture: random within the range, another for each seed; uniform; edges', async () => {
    const judged = await judgedImage(deletion)
    const controls = controlsOfImage(judged, judged, 3)
    expect(controls.map(({ id, judged: all }) => [id, all.length])).toEqual([
      ['random', 3],
      ['uniform', 1],
      ['edges', 1],
    ])
    const [random, uniform, edges] = controls
    const { data } = judged.attribution
    for (const { attribution } of random?.judged ?? []) {
      expect(attribution.dims).toEqual(judged.attribution.dims)
      expect(Math.min(...attribution.data)).toBeGreaterThanOrEqual(Math.min(...data))
      expect(Math.max(...attribution.data)).toBeLessThanOrEqual(Math.max(...data))
    }
    const [one, two] = random?.judged.map(({ attribution }) => attribution.data) ?? []
    expect(one).not.toEqual(two)
    const again = controlsOfImage(judged, judged, 3)
    expect(again[0]?.judged[0]?.attribution.data).toEqual(one)
    expect(controlsOfImage({ ...judged, seed: 1 }, judged, 3)[0]?.judged[0]?.attribution.data).not.toEqual(one)

    expect(new Set(uniform?.judged[0]?.attribution.data).size).toBe(1)
    expect(uniform?.judged[0]?.attribution.data[0]).toBeGreaterThan(0)
    const map = edges?.judged[0]?.attribution
    expect(map?.dims).toEqual([SIDE, SIDE])
    expect(largest(map?.data ?? new Float32Array())).toBeCloseTo(largest(data), 5)
    // Edges follow the picture, the others do not.
    const darker = { ...judged, picture: float32(judged.picture.data.toReversed(), judged.picture.dims) }
    expect((await edges?.judged[0]?.again(darker))?.data).not.toEqual(map?.data)
    expect((await random?.judged[0]?.again(darker))?.data).toEqual(one)
  })

  test('of a text there are no edges', () => {
    const judged = judgedText(tauLoo)
    expect(controlsOfText(judged, judged, 2).map(({ id }) => id)).toEqual(['random', 'uniform'])
  })

  test('many are told as their mean with its interval; one without a value has none', () => {
    const result = (value: number | null, end: number) => ({
      value,
      interval: null,
      curve: { share: [0, 1], value: [1, end] },
      diagnoses: [],
    })
    const told = summarised('random', [result(1, 0), result(2, 0.5), result(6, 1)])
    expect(told).toMatchObject({ id: 'random', value: 3, samples: 3, curve: { share: [0, 1], value: [1, 0.5] } })
    // t(2, 97.5 %) * s / sqrt(3), s^2 = 7
    expect(told.interval?.[1]).toBeCloseTo(3 + 4.3026527 * Math.sqrt(7 / 3), 6)
    expect(summarised('random', [result(1, 0), result(null, 0)])).toMatchObject({ value: null, interval: null })
    expect(summarised('edges', [result(1, 0)])).toMatchObject({ value: 1, interval: null })
  })
})

test('Sobel: a step is four high beside it, a plane has none', async () => {
  const { units } = await judgedImage(deletion)
  const step = float32(
    Array.from({ length: 3 * SIDE ** 2 }, (_, at) => (at % SIDE < 3 ? 0 : 255)),
    [1, 3, SIDE, SIDE],
  )
  const { data } = sobelMagnitude(step, units)
  expect(Array.from(data.subarray(0, SIDE))).toEqual([0, 0, 4, 4, 0, 0])
  const plane = float32(new Float32Array(3 * SIDE ** 2).fill(9), [1, 3, SIDE, SIDE])
  expect(largest(sobelMagnitude(plane, units).data)).toBeLessThan(1e-6)
})
