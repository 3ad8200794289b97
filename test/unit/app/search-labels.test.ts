import { expect, test } from 'vitest'
import { searchLabels } from '../../../app/_workbench/searchLabels.ts'

const LABELS = ['catamaran', 'tiger cat', 'Persian cat', 'bobcat', 'cat', 'German shepherd', 'crane (bird)', 'Löwchen']

test('an empty query finds every class, in the order of the model', () => {
  expect(searchLabels(LABELS, '  ')).toEqual(LABELS)
})

test('the class itself, then whole words, beginnings, and any other part', () => {
  expect(searchLabels(LABELS, 'cat')).toEqual(['cat', 'tiger cat', 'Persian cat', 'catamaran', 'bobcat'])
})

test.each([
  ['PERSIAN', ['Persian cat']],
  ['shepherd german', ['German shepherd']],
  ['ger shep', ['German shepherd']],
  ['lowchen', ['Löwchen']],
  ['(bird)', ['crane (bird)']],
  ['german cat', []],
])('%s finds %j', (query, labels) => {
  expect(searchLabels(LABELS, query)).toEqual(labels)
})
