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
import { RULE_SETS } from '../lib/engine/onnx/gradient/rule-sets/index.ts'
import { gradientModel } from '../lib/engine/onnx/model/gradient-file.ts'

/** Those that need no reference, with the parameters they have by themselves. */
const RULES = RULE_SETS.filter((one) => !one.needsReference).map((one) => one.id)
const USAGE = `usage: limelight gradient <model.onnx> --wrt <tap> [--wrt <tap>] --out <grad.onnx> [--rules ${RULES.join('|')}]`

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
  const rules = RULES.find((id) => id === values.rules)
  if (command !== 'gradient' || !model || !values.wrt || !values.out || !rules)
    throw new AppError({ code: 'BAD_INPUT', message: USAGE })
  const { bytes, outputs } = await gradientModel(model, { wrt: values.wrt, rules: { id: rules } })
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
