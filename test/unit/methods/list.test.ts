import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { FAMILIES } from '../../../lib/methods/method.ts'
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

it.each(METHODS.map((method) => [method.modality, method.id, method] as const))(
  '%s %s says in a paragraph each what its numbers mean and when they mislead',
  (_modality, _id, { meaning, misleads, summary, family }) => {
    expect(meaning.length).toBeGreaterThan(100)
    expect(misleads.length).toBeGreaterThan(100)
    expect(new Set([meaning, misleads, summary]).size).toBe(3)
    expect(FAMILIES).toContain(family)
  },
)
