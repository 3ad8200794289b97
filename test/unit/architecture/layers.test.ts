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
  ['lib/tensor/tensor.ts', '../target/target.ts'],
  ['lib/tensor/tensor.ts', '../explain.ts'],
  ['lib/engine/model.ts', '../target/scalar.ts'],
  ['lib/engine/model.ts', '../prepare.ts'],
  ['lib/engine/model.ts', '../explain.ts'],
  ['lib/engine/model.ts', './onnx/model/load.ts'],
  ['lib/engine/onnx/model/load.ts', '../../../target/scalar.ts'],
  ['lib/engine/onnx/model/load.ts', '../../../prepare.ts'],
  ['lib/engine/tfjs/model.ts', '../../explain.ts'],
  ['lib/engine/onnx/model/load.ts', '../../tfjs/load.ts'],
  ['lib/engine/tfjs/load.ts', '../onnx/model/load.ts'],
  ['lib/engine/onnx/graph/builder.ts', '../operators/table.ts'],
  ['lib/engine/onnx/operators/table.ts', '../gradient/rule-sets/index.ts'],
  ['lib/engine/onnx/gradient/rule-sets/rescale.ts', '../../run/runtime.ts'],
  ['lib/engine/onnx/question/formula.ts', '../model/load.ts'],
  ['lib/target/scalar.ts', '../methods/method.ts'],
  ['lib/target/scalar.ts', '../metrics/metric.ts'],
  ['lib/target/scalar.ts', '../generators/generator.ts'],
  ['lib/target/scalar.ts', '../models/facts.ts'],
  ['lib/models/facts.ts', '../methods/method.ts'],
  ['lib/models/load.ts', '../metrics/metric.ts'],
  ['lib/models/facts.ts', '../try-model.ts'],
  ['lib/models/load.ts', '../note-model.ts'],
  ['lib/models/making/card-from.ts', '../../methods/method.ts'],
  ['lib/hub/names.ts', '../explain.ts'],
  ['lib/hub/names.ts', '../methods/method.ts'],
  ['lib/errors.ts', './engine/model.ts'],
  ['lib/render/picture.ts', '../methods/method.ts'],
  ['lib/render/picture.ts', '../metrics/metric.ts'],
  ['lib/render/picture.ts', '../engine/model.ts'],
  ['lib/methods/method.ts', '../metrics/metric.ts'],
  ['lib/methods/image/grad-cam.ts', '../../generators/generator.ts'],
  ['lib/methods/image/grad-cam.ts', '../../explain.ts'],
  ['lib/methods/image/grad-cam.ts', '../../prepare.ts'],
  ['lib/methods/shared/reading.ts', '../../engine/onnx/model/load.ts'],
  ['lib/methods/shared/reading.ts', '../../engine/tfjs/load.ts'],
  ['lib/metrics/metric.ts', '../explain.ts'],
  ['lib/generators/generator.ts', '../engine/onnx/model/load.ts'],
  ['lib/statistics/collect.ts', '../engine/onnx/model/load.ts'],
  ['lib/statistics/collect.ts', '../methods/method.ts'],
  ['lib/statistics/collect.ts', '../activation-statistics.ts'],
  ['lib/metrics/metric.ts', '../compare/verdicts.ts'],
  ['lib/compare/verdicts.ts', '../methods/method.ts'],
  ['server/jobs/kinds/explain.ts', '../../services/create-run.ts'],
  ['server/jobs/kinds/explain.ts', '../../schema/run.ts'],
  ['server/jobs/kinds/explain.ts', '../../../prisma/generated/client.ts'],
  ['server/services/create-run.ts', '../schema/run.ts'],
  ['server/services/create-run.ts', '../http/guard.ts'],
]

const PATHS = 'import-x/no-restricted-paths'
const VALUES = '@typescript-eslint/no-restricted-imports'

describe('dependencies point one way', () => {
  let eslint: ESLint
  beforeAll(() => {
    // Of the product's own configuration the rules that are tried: reading types for the others takes seconds a file.
    eslint = new ESLint({
      ruleFilter: ({ ruleId }) => [PATHS, VALUES].includes(ruleId),
      overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
    })
  })

  test.each(FORBIDDEN)('%s must not import %s', async (file, imported) => {
    const [result] = await eslint.lintText(`import * as forbidden from '${imported}'\nvoid forbidden\n`, {
      filePath: file,
    })
    expect(result?.messages.map((message) => message.ruleId)).toContain(PATHS)
  })

  test('the schema shows rows, and fetches none: it has the types of the database and not its client', async () => {
    const from = `from '../../prisma/generated/client.ts'\n`
    const [value] = await eslint.lintText(`import { PrismaClient } ${from}void PrismaClient\n`, {
      filePath: 'server/schema/run.ts',
    })
    expect(value?.messages.map((message) => message.ruleId)).toEqual([VALUES])
    const [type] = await eslint.lintText(`import type { Run } ${from}export type Shown = Run\n`, {
      filePath: 'server/schema/run.ts',
    })
    expect(type?.messages).toEqual([])
  })

  test('an allowed import is not reported', async () => {
    const [result] = await eslint.lintText(`import * as allowed from './errors.ts'\nvoid allowed\n`, {
      filePath: 'lib/explain.ts',
    })
    expect(result?.messages).toEqual([])
  })
})
