/**
 * `npm run bench [-- --json FILE --only NAME --rounds N --threads N --peers PYTHON]`: measures Limelight's speed as ratios
 * within one run, prints a table and, with --json, writes the figures. Exits 0 whatever the figures are: the machine may be
 * busy. See bench/README.md.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { clears, type BenchContext, type Figure } from './figure.ts'
import { IMAGE_BENCHMARKS } from './figures/images.ts'
import { MEMORY_BENCHMARK } from './figures/memory.ts'
import { imagePeerBenchmarks } from './figures/peers-images.ts'
import { textPeerBenchmarks } from './figures/peers-texts.ts'
import { TEXT_BENCHMARK } from './figures/text.ts'
import { Peer } from './peers/peer.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})

function positiveInteger(option: 'rounds' | 'threads'): number {
  const value = Number(values[option])
  if (Number.isInteger(value) && value > 0) return value
  fail(`--${option} takes a positive whole number, found ${values[option]}.`)
}

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`)
  process.exit(1)
}

const note = (message: string): void => void process.stderr.write(`bench: ${message}\n`)

function line({ name, value, bar, unit }: Figure): string {
  const wanted = bar === null ? '' : `${bar.is === 'at-most' ? '<=' : '>='} ${bar.value}`
  const verdict = bar === null ? 'reported' : clears(value, bar) ? `ok, bar ${wanted}` : `MISSES the bar ${wanted}`
  return `${name.padEnd(56)} ${value.toFixed(3).padStart(8)} ${unit} (${verdict})\n`
}

const threads = positiveInteger('threads')
const rounds = positiveInteger('rounds')
const benchmarks = [
  ...IMAGE_BENCHMARKS,
  TEXT_BENCHMARK,
  MEMORY_BENCHMARK,
  ...(values.peers === undefined ? [] : [...imagePeerBenchmarks(values.peers), ...textPeerBenchmarks(values.peers)]),
]
const chosen = benchmarks.filter((benchmark) => values.only === undefined || benchmark.name === values.only)
if (chosen.length === 0 && values.peers === undefined && values.only?.startsWith('peers-') === true)
  fail(`${values.only} needs --peers PYTHON, an interpreter with bench/peers/requirements.txt.`)
if (chosen.length === 0)
  fail(`nothing is called ${values.only}; there are ${benchmarks.map((one) => one.name).join(', ')}.`)
if (values.peers === undefined)
  note(
    'figures against peers are left out: they need --peers PYTHON, an interpreter with bench/peers/requirements.txt.',
  )

/** Processes that wanted to run in the last minute, on average; always 0 on Windows. */
const [loadBefore = 0] = loadavg()
if (loadBefore > availableParallelism() / 2)
  note(
    `the machine is busy (load ${loadBefore.toFixed(1)}): ratios of several threads suffer. Measure again when it is idle.`,
  )

const folder = await mkdtemp(join(tmpdir(), 'limelight-bench-'))
const figures: Figure[] = []
let versions: Readonly<Record<string, string>> = {}
try {
  if (values.peers !== undefined) {
    const peer = new Peer(values.peers, threads, folder)
    versions = await peer.versions()
    peer.close()
  }
  const data = resolve(process.env['LIMELIGHT_DATA'] ?? '../shared/data')
  const context: BenchContext = { folder, threads, rounds, data, note }
  for (const benchmark of chosen) {
    for await (const figure of benchmark.run(context)) {
      figures.push(figure)
      process.stdout.write(line(figure))
    }
  }
} catch (thrown) {
  process.exitCode = 1
  note(thrown instanceof Error ? thrown.message : String(thrown))
} finally {
  await rm(folder, { recursive: true, force: true })
}
if (values.json !== undefined) {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    node: process.versions.node,
    loadBefore,
  }
  const flat = Object.fromEntries(figures.map((figure) => [figure.name, figure.value]))
  const all = { machine, threads, rounds, peers: versions, figures: flat, details: figures }
  await writeFile(values.json, `${JSON.stringify(all, null, 2)}\n`)
}
