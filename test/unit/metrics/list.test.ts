import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { METRICS } from '../../../lib/metrics/index.ts'

const folder = (modality: string): string => `${import.meta.dirname}/../../../lib/metrics/${modality}`

it.each(['image', 'text'] as const)('the list of %s metrics == the files in their folder', (modality) => {
  const listed = METRICS.filter((metric) => metric.modality === modality).map(({ id }) => id)
  expect(new Set(listed).size).toBe(listed.length)
  const files = readdirSync(folder(modality)).filter((name) => name.endsWith('.ts'))
  expect(files.map((name) => name.slice(0, -'.ts'.length)).sort()).toEqual([...listed].sort())
})

it.each(METRICS)(
  '$modality $id is one file of about 100 lines that says what it means and when it misleads',
  (metric) => {
    const { meaning, misleads, summary, params, modality, id } = metric
    for (const paragraph of [meaning, misleads]) expect(paragraph.split(' ').length).toBeGreaterThan(30)
    expect(summary).toMatch(/\.$/)
    const { properties } = z.toJSONSchema(params, { io: 'input' }) as {
      properties: Record<string, { title?: string; description?: string; default?: unknown }>
    }
    for (const field of Object.values(properties)) {
      expect(field.title).toBeTruthy()
      expect(field.description).toBeTruthy()
      expect(field.default).toBeDefined()
    }
    expect(readFileSync(`${folder(modality)}/${id}.ts`, 'utf8').split('\n').length).toBeLessThan(110)
  },
)
