/**
 * Limelight's command line.
 *
 *   npx tsx bin/limelight.ts gradient model.onnx --wrt <tap> [--wrt <tap>] --out grad.onnx [--rules guided-relu]
 *
 * `gradient` writes the gradient graph of a model as an ordinary ONNX file.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { AppError } from '../lib/errors.ts'
import type { RuleSet } from '../lib/engine/model.ts'
import { gradientModel } from '../lib/engine/onnx/model/gradient-file.ts'

const USAGE =
  'usage: limelight gradient <model.onnx> --wrt <tap> [--wrt <tap>] --out <grad.onnx> [--rules plain|guided-relu|deconvnet]'
const RULE_SETS: readonly RuleSet[] = ['plain', 'guided-relu', 'deconvnet']

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      wrt: { type: 'string', multiple: true },
      out: { type: 'string' },
      rules: { type: 'string', default: 'plain' },
    },
  })
  const [command, model] = positionals
  const rules = RULE_SETS.find((one) => one === values.rules)
  if (command !== 'gradient' || !model || !values.wrt || !values.out || !rules)
    throw new AppError({ code: 'BAD_INPUT', message: USAGE })
  const { bytes, outputs } = await gradientModel(model, { wrt: values.wrt, rules })
  await writeFile(values.out, bytes)
  process.stdout.write(`${values.out}: ${bytes.length} bytes; outputs ${outputs.join(', ')}\n`)
}

try {
  await main()
} catch (thrown) {
  const parse = thrown instanceof TypeError && 'code' in thrown
  process.stderr.write(`${parse ? `${thrown.message}\n${USAGE}` : AppError.from(thrown).message}\n`)
  process.exitCode = 1
}
