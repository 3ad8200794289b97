/** The pieces of `npm run evaluate -- quality`; the figures themselves are run by hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { appendQuality, figureOf, figuresOf, readQuality, type QualityLine } from '../../../bench/quality/figures.ts'
import { bootstrapInterval } from '../../../bench/quality/interval.ts'
import { spread } from '../../../bench/quality/part.ts'
import { withoutBoundary } from '../../../bench/quality/pictures.ts'
import { qualityTables } from '../../../bench/quality/tables.ts'
import { METHODS } from '../../../lib/methods/index.ts'

const LINE: QualityLine = {
  part: 'pets',
  model: 'pets-cnn',
  sha256: '0',
  method: 'grad-cam',
  version: 1,
  n: 2,
  seed: 0,
  figures: { pointing: { mean: 0.5, interval: [0, 1], n: 2 } },
}

describe('bootstrapInterval', () => {
  it('of many hits and misses is the normal approximation of a share', () => {
    const hits = Array.from({ length: 400 }, (_, at) => (at < 300 ? 1 : 0))
    const reach = 1.96 * Math.sqrt((0.75 * 0.25) / 400)
    const [low, high] = bootstrapInterval(hits, 0)
    expect(low).toBeCloseTo(0.75 - reach, 2)
    expect(high).toBeCloseTo(0.75 + reach, 2)
  })

  it('is the seed’s, has no width where nothing varies, and is of something', () => {
    const values = [0.1, 0.4, 0.3, 0.9, 0.2]
    expect(bootstrapInterval(values, 3)).toEqual(bootstrapInterval(values, 3))
    expect(bootstrapInterval([0.5, 0.5], 0)).toEqual([0.5, 0.5])
    expect(() => bootstrapInterval([], 0)).toThrow(RangeError)
  })
})

describe('figures', () => {
  it('are of the examples that have a value', () => {
    expect(figureOf([1, null, 0, 1, 0], 0)).toMatchObject({ mean: 0.5, n: 4 })
    expect(figureOf([null], 0)).toBeNull()
    const figures = figuresOf([{ a: 1, b: null }, { a: 0, b: null }], 0) // prettier-ignore
    expect(Object.keys(figures)).toEqual(['a'])
  })

  it('are kept a line each, and read back', () => {
    const folder = mkdtempSync(join(tmpdir(), 'limelight-quality-'))
    const path = join(folder, 'quality.jsonl')
    expect(readQuality(path)).toEqual([])
    appendQuality(path, LINE)
    appendQuality(path, { ...LINE, method: 'centre', version: null })
    expect(readQuality(path).map(({ method }) => method)).toEqual(['grad-cam', 'centre'])
    rmSync(folder, { recursive: true })
  })

  it('a table has the best first, controls in italics, and names what was not measured', () => {
    const better = {
      ...LINE,
      method: 'cam',
      figures: { pointing: { mean: 0.75, interval: [0.5, 1] as [number, number], n: 2 } },
    }
    const { pets } = qualityTables(METHODS, [LINE, { ...LINE, method: 'centre', version: null }, better])
    const rows = pets.split('\n').filter((row) => row.startsWith('|')).slice(2) // prettier-ignore
    expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(['`cam`', '_centre_', '`grad-cam`'])
    expect(rows[0]).toContain('| 0.75 [0.50, 1.00] | - |')
    expect(pets).toContain('Not measured: `grad-cam-plus-plus`')
  })
})

it('the share inside leaves a boundary out of the whole too', () => {
  // 0.6 on the pet, 0.1 on its boundary, 0.3 beside it.
  expect(withoutBoundary(0.6, 0.7)).toBeCloseTo(0.6 / 0.9, 12)
  expect(withoutBoundary(0, 1)).toBeNull()
})

it('fewer examples are spread over all of them', () => {
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7], 4)).toEqual([0, 2, 4, 6])
  expect(spread([0, 1], 5)).toEqual([0, 1])
})
