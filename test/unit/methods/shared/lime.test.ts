import { describe, expect, it, test } from 'vitest'
import { limeSamples, limeSurrogate, misfit } from '../../../../lib/methods/shared/lime.ts'
import { goldens } from '../../../helpers/perturbation-goldens.ts'
import { relativeDifference } from '../../../helpers/tolerance.ts'

interface Golden {
  readonly width: number
  readonly ridge: number
  readonly samples: readonly (readonly number[])[]
  readonly worths: readonly number[]
  readonly coefficients: readonly number[]
  readonly intercept: number
  readonly fit: number
}

describe('as scikit-learn\u2019s Ridge fits it', () => {
  it.each(goldens('lime') as Golden[])('width $width, ridge $ridge', (golden) => {
    const samples = golden.samples.map((one) => Uint8Array.from(one))
    const { coefficients, intercept, fit } = limeSurrogate(samples, golden.worths, golden)
    expect(relativeDifference(coefficients, golden.coefficients)).toBeLessThan(1e-9)
    expect(intercept).toBeCloseTo(golden.intercept, 9)
    expect(fit).toBeCloseTo(golden.fit, 9)
  })
})

test('samples: the whole first, then 1 to all left out, each number as often', () => {
  const samples = limeSamples(0, 10, 2001)
  expect(samples[0]).toEqual(new Uint8Array(10).fill(1))
  const gone = samples.slice(1).map((one) => one.filter((here) => here === 0).length)
  for (let count = 1; count <= 10; count += 1) {
    const share = gone.filter((one) => one === count).length / gone.length
    expect(Math.abs(share - 0.1)).toBeLessThan(0.03)
  }
  expect(limeSamples(0, 10, 50)).toEqual(samples.slice(0, 50))
  expect(limeSamples(1, 10, 50)).not.toEqual(samples.slice(0, 50))
})

test('a linear model that says little is said to', () => {
  const samples = limeSamples(0, 6, 300)
  const parity = samples.map((one) => one.reduce((sum, here) => sum + here, 0) % 2)
  const bad = limeSurrogate(samples, parity, { width: 10, ridge: 1 })
  expect(misfit(bad)).toEqual([
    {
      code: 'SURROGATE_MISFIT',
      severity: 'warning',
      message: expect.stringMatching(/only \d+ % .* \(R\u00b2 0\.\d\d\)/),
    },
  ])
  const good = limeSurrogate(
    samples,
    samples.map((one) => 3 * (one[0] ?? NaN) + 1),
    { width: 10, ridge: 0 },
  )
  expect(good.fit).toBeCloseTo(1, 9)
  expect(misfit(good)).toEqual([])
  // Nothing varies: nothing is left to say.
  expect(
    limeSurrogate(
      samples,
      samples.map(() => 7),
      { width: 1, ridge: 1 },
    ).fit,
  ).toBe(1)
})
