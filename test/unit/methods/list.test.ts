import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { METHODS } from '../../../lib/methods/index.ts'

const here = import.meta.dirname
const stems = (folder: string, ending: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .sort()

it.each(['image', 'text'] as const)(
  'the list of %s methods == the files in their folder == their tests',
  (modality) => {
    const listed = METHODS.filter((method) => method.modality === modality).map((method) => method.id)
    expect(new Set(listed).size).toBe(listed.length)
    expect(stems(`${here}/../../../lib/methods/${modality}`, '.ts')).toEqual([...listed].sort())
    expect(stems(`${here}/${modality}`, '.test.ts')).toEqual(expect.arrayContaining(listed))
  },
)
