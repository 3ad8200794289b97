/** The sample photographs that the UI offers: there, small, readable, and each with its source and licence. */
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { decodeImage } from '../../../lib/image/decode.ts'

const folder = `${import.meta.dirname}/../../../public/samples`
const samples = z
  .array(
    z.strictObject({
      file: z.string().regex(/^[a-z-]+\.jpg$/),
      title: z.string().min(1),
      alt: z.string().min(20),
      source: z.string().min(1),
      licence: z.enum(['CC0 1.0', 'Public domain']),
      author: z.string().min(1),
      url: z.url(),
    }),
  )
  .parse(JSON.parse(readFileSync(`${folder}/samples.json`, 'utf8')))

it('every photograph in the folder is listed once', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jpg'))
  expect(samples.map(({ file }) => file).sort()).toEqual(files.sort())
  expect(samples.length).toBeGreaterThanOrEqual(3)
})

describe.each(samples)('$file', ({ file }) => {
  it('is small and needs no conversion', async () => {
    const bytes = readFileSync(`${folder}/${file}`)
    expect(bytes.length).toBeLessThanOrEqual(150_000)
    const image = await decodeImage(bytes)
    expect(Math.max(image.width, image.height)).toBeLessThanOrEqual(800)
    expect(image.diagnoses).toEqual([])
  })
})
