/** Imports a model by its name on the Hugging Face hub, or from a folder: `npm run import -- --help`. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../lib/errors.ts'
import { parseHubModel } from '../lib/hub/names.ts'
import type { CatalogueEntry } from '../lib/models/catalogue.ts'
import { folderFiles } from '../lib/models/making/folder-files.ts'
import { importByName } from '../lib/models/making/import-by-name.ts'
import { importFiles, type ImportedModel } from '../lib/models/making/import-files.ts'
import { hubSettings } from '../server/hub-settings.ts'

const HELP = `Imports a classifier of pictures or texts, so that Limelight offers it.

  npm run import -- <org/name>[@revision]     from the Hugging Face hub
  npm run import -- <folder>                  a folder as optimum-cli, timm or Teachable Machine write it

  --file <path>      which ONNX file, if not the usual one (onnx/model.onnx, model.onnx, ..._fp16, ..._quantized)
  --data <folder>    Limelight's data folder                   (LIMELIGHT_DATA_DIR, default ./data)
  --models <folder>  the folder of your own models             (LIMELIGHT_MODELS, default models in the data folder)
  --no-try           do not try the model with one forward and one gradient

From the environment: HF_TOKEN, HF_ENDPOINT (a mirror), HF_HUB_OFFLINE=1 (the cache alone), HF_HUB_CACHE or HF_HOME (the
cache, which Python shares), LIMELIGHT_IMPORT_MB (the most megabytes of one model, default 4096).

Ends with 0 when the model is there, 1 when it is not, 2 for a command line that makes no sense, 3 when it is there and the
first try found something wrong. A second import of the same name takes the place of the first; what has arrived of a
download that broke off is kept for the next.
`
const USAGE_ERROR = 2
const TRIED_AND_WRONG = 3
const INTERRUPTED = 130
const STEP = 0.1

const say = (line: string): void => void process.stdout.write(`${line}\n`)

function optionsFrom(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      file: { type: 'string' },
      data: { type: 'string' },
      models: { type: 'string' },
      'no-try': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const data = resolve(values.data ?? process.env['LIMELIGHT_DATA_DIR'] ?? 'data')
  return {
    what: positionals,
    file: values.file ?? null,
    models: resolve(values.models ?? process.env['LIMELIGHT_MODELS'] ?? join(data, 'models')),
    tries: !values['no-try'],
    help: values.help,
  }
}

/** Says how far it is, a line for every tenth. */
function teller(): (fraction: number, path: string) => void {
  let said = -1
  return (fraction, path) => {
    const step = Math.floor(fraction / STEP)
    if (step <= said) return
    said = step
    process.stderr.write(`${Math.round(fraction * 100)} % ${path}\n`)
  }
}

async function imported(
  what: string,
  file: string | null,
  models: string,
  signal: AbortSignal,
): Promise<ImportedModel> {
  const settings = hubSettings(process.env, homedir())
  await mkdir(models, { recursive: true })
  if (/^[./~\\]/.test(what) || existsSync(what)) {
    const title = basename(resolve(what))
    const paths = await folderFiles(what)
    return importFiles(
      { paths, title, source: `the folder ${title}`, license: null, onnx: file },
      models,
      settings.maxBytes,
    )
  }
  const model = parseHubModel(what)
  const found = await importByName(model, file, models, settings, { signal, progress: teller() })
  say(`${model.name} at the commit ${found.commit}${found.asked ? '' : ', from the cache: the hub was not asked'}`)
  return found
}

/** @returns whether it passed */
async function passes(entry: CatalogueEntry, signal: AbortSignal): Promise<boolean> {
  const [{ loadModel }, { tryModel }, { METHODS }, { whyUnavailable }] = await Promise.all([
    import('../lib/models/load.ts'),
    import('../lib/try-model.ts'),
    import('../lib/methods/index.ts'),
    import('../lib/methods/place.ts'),
  ])
  const loaded = await loadModel(entry)
  const trial = await tryModel(loaded, METHODS, { signal, progress: () => undefined, now: () => performance.now() })
  say(`  reads          ${trial.inputs.join(', ')}`)
  say(
    `  answers        ${trial.classes} classes: ${entry.card.labels.slice(0, 5).join(', ')}${trial.classes > 5 ? ', ...' : ''}`,
  )
  say(`  default layer  ${loaded.facts.defaultTap}`)
  for (const method of METHODS.filter(({ modality }) => modality === loaded.facts.modality)) {
    const why = whyUnavailable(method, loaded.facts)
    say(`  ${why === null ? 'can be asked  ' : 'cannot        '} ${method.title}${why === null ? '' : `: ${why}`}`)
  }
  for (const problem of trial.problems) say(`  WRONG          ${problem}`)
  await loaded.model.dispose()
  return trial.problems.length === 0
}

async function main(): Promise<number> {
  let options: ReturnType<typeof optionsFrom>
  try {
    options = optionsFrom(process.argv.slice(2))
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n\n${HELP}`)
    return USAGE_ERROR
  }
  const [what, ...others] = options.what
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (what === undefined || others.length > 0) {
    process.stderr.write(HELP)
    return USAGE_ERROR
  }
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  try {
    const model = await imported(what, options.file, options.models, controller.signal)
    say(`${model.id} is in ${model.folder}`)
    for (const { field, assumed, why } of model.guesses) say(`  guessed        ${field}: ${assumed} (${why})`)
    if (model.guesses.length > 0) say('  What is guessed is in card.json, to be corrected.')
    if (!options.tries) return 0
    let passed = true
    for (const entry of model.entries) passed = (await passes(entry, controller.signal)) && passed
    return passed ? 0 : TRIED_AND_WRONG
  } catch (thrown) {
    const error = AppError.from(thrown)
    process.stderr.write(`import: ${error.userMessage}\n`)
    if (error.code === 'INTERNAL' && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`)
    return error.code === 'CANCELLED' ? INTERRUPTED : 1
  }
}

process.exitCode = await main()
