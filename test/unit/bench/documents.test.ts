/** The tables of docs/ are what `npm run document` would write, and nothing is missing in them. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CONFORMANCE } from '../../../bench/documents/conformance.ts'
import { table, withGenerated } from '../../../bench/documents/generated.ts'
import { PAGES, writtenPage } from '../../../bench/documents/pages.ts'
import { METHODS } from '../../../lib/methods/index.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

/** What the project set out with. */
const WANTED = {
  image: [
    ...['cam', 'grad-cam', 'grad-cam-plus-plus', 'xgrad-cam', 'hires-cam', 'elementwise-grad-cam', 'layer-cam', 'eigen-cam'],
    ...['eigen-grad-cam', 'score-cam', 'ablation-cam', 'finer-cam', 'full-grad', 'guided-grad-cam', 'gradient'],
    ...['input-x-gradient', 'guided-backprop', 'deconvnet', 'integrated-gradients', 'smooth-grad', 'var-grad', 'square-grad'],
    ...['gradient-shap', 'deep-lift', 'lrp', 'blur-ig', 'guided-ig', 'xrai', 'occlusion', 'rise', 'lime', 'kernel-shap'],
    ...['legrad', 'idgi', 'expected-gradients', 'craft'],
  ],
  text: [
    ...['gradient-norm', 'input-x-gradient', 'integrated-gradients', 'smooth-grad', 'gradient-shap', 'deep-lift', 'lrp'],
    ...['occlusion', 'lime', 'partition-shap', 'kernel-shap', 'attention-rollout', 'attention-gradient', 'attn-lrp', 'cp-lrp'],
    ...['libra-grad', 'idgi', 'expected-gradients'],
  ],
} as const // prettier-ignore

describe('pages', () => {
  it.each(PAGES)('%s is what `npm run document` writes', async (page) => {
    expect(readFileSync(join(ROOT, page), 'utf8')).toBe(await writtenPage(ROOT, page))
  })

  it.each([
    ['image', 'docs/methods.md'],
    ['text', 'docs/methods-text.md'],
  ] as const)('every %s method that was wanted is in the table of %s', (modality, page) => {
    const text = readFileSync(join(ROOT, page), 'utf8')
    const written = text.slice(text.indexOf('<!-- generated: methods -->'), text.indexOf('<!-- end: methods -->'))
    expect(WANTED[modality].filter((id) => !written.includes(`\n| \`${id}\` `))).toEqual([])
  })

  it.each(['image', 'text'] as const)('each %s method says what holds it, and nothing else does', (modality) => {
    const ids = METHODS.filter((method) => method.modality === modality).map(({ id }) => id)
    expect(Object.keys(CONFORMANCE[modality]).sort()).toEqual([...ids].sort())
  })
})

describe('withGenerated', () => {
  const page = 'Before.\n\n<!-- generated: one -->\n\nold\n\n<!-- end: one -->\n\nBehind.\n'

  it('replaces what is between the comments, and nothing else', () => {
    const written = withGenerated(page, 'one', 'new\n')
    expect(written).toBe(page.replace('old', 'new'))
    expect(withGenerated(written, 'one', 'new')).toBe(written)
  })

  it('says which comments a page lacks', () => {
    expect(() => withGenerated(page, 'two', '')).toThrow('<!-- generated: two -->')
  })
})

it('a cell may hold what parts cells', () => {
  expect(table(['a'], [['|x|']])).toBe('| a |\n| --- |\n| \\|x\\| |')
})
