import { describe, expect, it } from 'vitest'
import { didYouMean, listed, nearest, quoted } from '../../lib/suggest.ts'

describe('nearest', () => {
  const names = ['grad-cam', 'hires-cam', 'integrated-gradients', 'cam']
  it.each([
    ['grad-cma', 'grad-cam'],
    ['GRAD-CAM', 'grad-cam'],
    ['gradcam', 'grad-cam'],
    ['integrated', 'integrated-gradients'],
    ['cams', 'cam'],
  ])('%s -> %s', (typed, expected) => expect(nearest(typed, names)).toBe(expected))

  it('is silent when nothing is near, or the typed name is absurdly long', () => {
    expect(nearest('lime', names)).toBeNull()
    expect(nearest('grad-cam'.repeat(100), names)).toBeNull()
    expect(nearest('x', [])).toBeNull()
    expect(didYouMean('lime', names)).toBe('')
  })
})

describe('listed', () => {
  it('stops after a dozen', () => {
    expect(listed([])).toBe('none')
    expect(listed(['a', 'b'])).toBe('a, b')
    expect(listed(Array.from({ length: 14 }, (_, index) => String(index)))).toMatch(/11 and 2 more$/)
  })
})

describe('quoted', () => {
  it('shortens what was typed', () => {
    expect(quoted('x'.repeat(100))).toBe(`"${'x'.repeat(64)}..."`)
    expect(quoted({ a: 1 })).toBe('"{"a":1}"')
    expect(quoted(undefined)).toBe('"undefined"')
  })
})
