import { ESLint } from 'eslint'
import { beforeAll, describe, expect, test } from 'vitest'

// The linter holds the direction of dependencies. This holds the linter: each forbidden import, tried in a file of that
// layer, must be reported, so that a slip in a zone's path cannot turn the rule off unseen.
const FORBIDDEN: readonly (readonly [file: string, imported: string])[] = [
  ['app/page.tsx', '../lib/errors.ts'],
  ['app/page.tsx', '../server/main.ts'],
  ['lib/explain.ts', '../server/main.ts'],
  ['lib/tensor/tensor.ts', '../engine/model.ts'],
  ['lib/engine/model.ts', '../methods/method.ts'],
  ['lib/image/decode.ts', '../engine/model.ts'],
  ['lib/text/tokenizer.ts', '../methods/method.ts'],
]

describe('dependencies point one way', () => {
  let eslint: ESLint
  beforeAll(() => {
    // Of the product's own configuration the one rule that is tried: reading types for the others takes seconds a file.
    eslint = new ESLint({
      ruleFilter: ({ ruleId }) => ruleId === 'import-x/no-restricted-paths',
      overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
    })
  })

  test.each(FORBIDDEN)('%s must not import %s', async (file, imported) => {
    const [result] = await eslint.lintText(`import * as forbidden from '${imported}'\nvoid forbidden\n`, {
      filePath: file,
    })
    expect(result?.messages.map((message) => message.ruleId)).toContain('import-x/no-restricted-paths')
  })

  test('an allowed import is not reported', async () => {
    const [result] = await eslint.lintText(`import * as allowed from './errors.ts'\nvoid allowed\n`, {
      filePath: 'lib/explain.ts',
    })
    expect(result?.messages).toEqual([])
  })
})
