/**
 * `npm run bench [-- --json FILE --only NAME --rounds N --threads N]`: measures Limelight's speed as ratios within one
 * run, prints a table and, with --json, writes the figures. Exits 0 whatever the figures are: the machine may be busy.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Figure } from './figure.ts'
import { IMAGE_BENCHMARKS } from './figures/images.ts'
import { TEXT_BENCHMARK } from './figures/text.ts'

const BENCHMARKS = [...IMAGE_BENCHMARKS, TEXT_BENCHMARK]

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})
const chosen = BENCHMARKS.filter((benchmark) => values.only === undefined || benchmark.name === values.only)
if (chosen.length === 0) {
  process.stderr.write(
    `bench: nothing is called ${values.only}; there are ${BENCHMARKS.map((one) => one.name).join(', ')}.\n`,
  )
  process.exit(1)
}

function line({ name, value, bar, unit }: Figure): string {
  const verdict = bar === null ? 'reported' : value <= bar ? `ok, bar ${bar}` : `ABOVE the bar of ${bar}`
  return `${name.padEnd(52)} ${value.toFixed(3).padStart(8)} ${unit} (${verdict})\n`
}

const folder = await mkdtemp(join(tmpdir(), 'limelight-bench-'))
const figures: Figure[] = []
try {
  for (const benchmark of chosen) {
    const context = { folder, threads: Number(values.threads), rounds: Number(values.rounds) }
    for await (const figure of benchmark.run(context)) {
      figures.push(figure)
      process.stdout.write(line(figure))
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
if (values.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.versions.node }
  const flat = Object.fromEntries(figures.map((figure) => [figure.name, figure.value]))
  await writeFile(
    values.json,
    `${JSON.stringify({ machine, threads: Number(values.threads), figures: flat, details: figures }, null, 2)}\n`,
  )
}
