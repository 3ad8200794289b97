import { expect, it } from 'vitest'
import { hubModel, isInnerPath, parseHubModel } from '../../../lib/hub/names.ts'

it.each([
  ['gpt2', { name: 'gpt2', revision: 'main' }],
  ['org/some.name_1-x', { name: 'org/some.name_1-x', revision: 'main' }],
  ['org/name@v1.0', { name: 'org/name', revision: 'v1.0' }],
  ['org/name@refs/pr/1', { name: 'org/name', revision: 'refs/pr/1' }],
])('%s names a model', (text, expected) => {
  expect(parseHubModel(text)).toEqual(expected)
})

it.each([
  '',
  '/',
  'a/b/c',
  '../x',
  'a/..',
  'a/../b',
  './a',
  'a--b/c',
  'a/b c',
  'a/b?x=1',
  'a/b#c',
  'https://hub/a',
  'a/b@',
  'a/b@../x',
  'a/b@/x',
  'a/b@x/../y',
  'a/b@x//y',
  '-a/b',
  'a\\b',
  'ä/b',
])('"%s" names none', (text) => {
  expect(() => parseHubModel(text)).toThrow(/not the name of a model|not a revision/)
})

it('a name that is longer than any is refused', () => {
  expect(() => hubModel('a'.repeat(300))).toThrow(/not the name/)
})

it.each(['a', 'a/b.onnx', 'a/..b', '.hidden', 'ä/ö'])('%s is inside', (path) => expect(isInnerPath(path)).toBe(true))
it.each(['', '/a', 'a/', 'a//b', '..', '../a', 'a/../b', './a', 'C:x', 'C:\\x', '\\\\host\\share', 'a\\..\\b', 'a\0b'])(
  '%j is not',
  (path) => expect(isInnerPath(path)).toBe(false),
)
