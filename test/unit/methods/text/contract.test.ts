/** The text methods of the product, each held to what holds for all. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { METHODS } from '../../../../lib/methods/index.ts'
import type { TextMethod } from '../../../../lib/methods/method.ts'
import { describeTextMethod } from './describe-text-method.ts'

const TEXT = METHODS.filter((method): method is TextMethod => method.modality === 'text')

test('the list, the folder and the tests name the same methods', () => {
  const stems = (folder: string, suffix: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
  const ids = TEXT.map(({ id }) => id).sort()
  expect(stems(join(import.meta.dirname, '../../../../lib/methods/text'), '.ts').sort()).toEqual(ids)
  const tests = stems(import.meta.dirname, '.test.ts').filter((stem) => !['contract', 'bundled-model'].includes(stem))
  expect(tests.sort()).toEqual(ids)
})

TEXT.forEach(describeTextMethod)
