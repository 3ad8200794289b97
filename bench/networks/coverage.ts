/**
 * `npx tsx bench/networks/coverage.ts FOLDER... [--write docs/coverage.md] [--only TEXT]`: asks Limelight's ONNX engine for
 * the gradients of every network that export.py wrote to the folders (`--out` and `--full`) and holds them against
 * PyTorch's autograd. Exits with 1 if one fails.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { loadOnnxModel } from '../../lib/engine/onnx/model/load.ts'
import { AppError } from '../../lib/errors.ts'
import { compare, readNetwork } from './network.ts'

/** The issue's bar: the largest error, in units of the golden's largest value. */
const TOLERANCE = 1e-4

interface Outcome {
  readonly network: string
  readonly exporter: string
  readonly opset: number
  readonly versions: Readonly<Record<string, string>>
  readonly notes: readonly string[]
  /** Largest error; null where there is none to tell. */
  readonly error: number | null
  /** Why there is none, or what differs most. */
  readonly reason: string
  readonly refused: boolean
}

async function examine(folder: string, stem: string): Promise<Outcome> {
  const found = await readNetwork(folder, stem)
  if ('refused' in found) return { ...found, notes: [], error: null, reason: found.refused, refused: true }
  const { manifest } = found
  try {
    const model = await loadOnnxModel(found.path, { threads: 1 })
    try {
      const differences = await compare(model, found)
      const worst = differences.reduce((most, one) => (one.error > most.error ? one : most))
      const first = differences.find((one) => one.error > TOLERANCE)
      const reason = first ? `${first.what} differs by ${show(first.error)}` : ''
      return { ...manifest, error: worst.error, reason, refused: false }
    } finally {
      await model.dispose()
    }
  } catch (thrown) {
    return { ...manifest, error: null, reason: AppError.from(thrown).message, refused: false }
  }
}

function show(error: number): string {
  return error.toExponential(1)
}

function passes(one: Outcome): boolean {
  return one.error !== null && one.error <= TOLERANCE
}

/** Numbers reasons in the order in which they are met. */
class Footnotes {
  readonly #numbers = new Map<string, number>()
  constructor(private readonly letter: string) {}
  mark(text: string): string {
    const number = this.#numbers.get(text) ?? this.#numbers.size + 1
    this.#numbers.set(text, number)
    return `${this.letter}${number}`
  }
  list(): string[] {
    return [...this.#numbers].map(([text, number]) => `- **${this.letter}${number}** ${text.replaceAll('|', '\\|')}`)
  }
}

function table(outcomes: readonly Outcome[], refusals: Footnotes, failures: Footnotes, notes: Footnotes): string[] {
  const columns = [...new Set(outcomes.map((one) => `${one.exporter} ${String(one.opset).padStart(2)}`))]
    .toSorted()
    .toReversed()
    .map((column) => ({ column, exporter: column.split(' ')[0], opset: Number(column.slice(-2)) }))
    .toSorted((a, b) => (a.exporter === b.exporter ? a.opset - b.opset : a.exporter === 'torchscript' ? -1 : 1))
  const rows = [...new Set(outcomes.map((one) => one.network))].map((network) => {
    const cells = columns.map(({ exporter, opset }) => {
      const one = outcomes.find(
        (each) => each.network === network && each.exporter === exporter && each.opset === opset,
      )
      if (!one) return 'not run'
      if (one.refused) return `refused ${refusals.mark(one.reason)}`
      const marks = one.notes.map((note) => ` ${notes.mark(note)}`).join('')
      if (passes(one)) return `${(one.error ?? 0).toExponential(0)}${marks}`
      return `**fails** ${failures.mark(one.reason)}${marks}`
    })
    return `| ${[network, ...cells].join(' | ')} |`
  })
  return [
    `| network | ${columns.map(({ exporter, opset }) => `${exporter} ${opset}`).join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...rows,
  ]
}

function section(title: string, introduction: string, footnotes: Footnotes): string[] {
  const list = footnotes.list()
  return list.length === 0 ? [] : ['', `## ${title}`, '', introduction, '', ...list]
}

function page(outcomes: readonly Outcome[], runtime: string): string {
  const [refusals, failures, notes] = [new Footnotes('r'), new Footnotes('f'), new Footnotes('n')]
  const [full, small] = [outcomes, outcomes].map((all, index) =>
    all.filter((one) => one.network.startsWith('full-') === (index === 0)),
  )
  const asked = outcomes.filter((one) => !one.refused)
  const versions = outcomes[0]?.versions ?? {}
  const lines = [
    '# What the gradient engine covers',
    '',
    'Written by `bench/networks/coverage.ts` from what `bench/networks/export.py` exported; do not edit. Each cell is the',
    'largest difference between Limelight and PyTorch’s autograd over the logits, the gradient of a random linear',
    'combination of them at the input (pictures) or the word embedding (text), and values and gradients at two inner',
    'layers, in units of the largest value of each. The bar is 1e-4. Batch of two, other shapes than the export’s example.',
    '',
    `Of ${outcomes.length} exports asked for, the exporters themselves refused ${outcomes.length - asked.length}; of the other ${asked.length}, ${asked.filter(passes).length} are equal to PyTorch and ${asked.filter((one) => !passes(one)).length} are not.`,
    '',
    `ONNX Runtime ${runtime} in Node ${process.versions.node}; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    '## Small networks',
    '',
    'Random weights, hardly any width, every structural feature of the original. Operator sets 11, 13, 17 and 26 (the newest',
    'that this ONNX Runtime takes), and 18, which is what dynamo writes when its conversion further down fails.',
    '',
    ...table(small ?? [], refusals, failures, notes),
  ]
  if (full?.length) {
    lines.push(
      '',
      '## Full-size networks',
      '',
      'As published but for a word table of 2,000 rows, with random weights. Within rounding of a kink (ReLU at 0, two maxima of a',
      'pooling’s window) two float32 computations rightly differ, and ten million units always hold some such: biases and kernels',
      'are moved by the little that keeps them off it on the compared pictures (`keep_off_kinks` in `goldens.py`).',
      '',
    )
    lines.push(...table(full, refusals, failures, notes))
  }
  lines.push(
    ...section(
      'Refusals',
      'What the exporters said, or what is wrong with the file they wrote. There is no ONNX model to explain.',
      refusals,
    ),
    ...section('Failures', 'What Limelight lacks, or where it differs.', failures),
    ...section('Notes', 'How some files came to be.', notes),
  )
  return `${lines.join('\n')}\n`
}

function report(stem: string, outcome: Outcome): void {
  outcomes.push(outcome)
  const verdict = outcome.refused ? 'refused' : passes(outcome) ? 'ok' : 'FAILS'
  console.log(`${stem}: ${verdict} ${outcome.error?.toExponential(1) ?? ''} ${outcome.refused ? '' : outcome.reason}`)
}

const outcomes: Outcome[] = []
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'string' }, only: { type: 'string', default: '' } },
})
if (positionals.length === 0) {
  console.error('Say which folders export.py wrote: npx tsx bench/networks/coverage.ts FOLDER...')
  process.exit(2)
}
for (const folder of positionals) {
  const stems = (await readdir(folder))
    .filter((file) => file.endsWith('.json') && file.includes(values.only))
    .map((file) => file.slice(0, -'.json'.length))
    .toSorted()
  for (const stem of stems) report(stem, await examine(folder, stem))
}
if (values.write !== undefined) {
  const runtime = JSON.parse(
    await readFile(new URL('../../node_modules/onnxruntime-node/package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  const style = { ...(await resolveConfig(values.write)), parser: 'markdown' }
  await writeFile(values.write, await format(page(outcomes, runtime.version), style))
}
process.exitCode = outcomes.every((one) => one.refused || passes(one)) ? 0 : 1
