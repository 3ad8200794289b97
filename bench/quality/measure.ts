/** Measures the parts, method by method: what is in the file already is kept. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../lib/errors.ts'
import { costFacts } from '../../lib/methods/cost.ts'
import { METHODS } from '../../lib/methods/index.ts'
import type { Method } from '../../lib/methods/method.ts'
import { parseParams } from '../../lib/methods/parse-params.ts'
import { placeFor } from '../../lib/methods/place.ts'
import { listModels, type CatalogueEntry } from '../../lib/models/catalogue.ts'
import { loadModel } from '../../lib/models/load.ts'
import { Progress } from '../progress.ts'
import { appendQuality, figuresOf, readQuality, type QualityLine, type Values } from './figures.ts'
import { spread, type Asking, type QualityPart } from './part.ts'

export interface Measuring {
  readonly data: string
  readonly models: string
  readonly out: string
  readonly threads: number
  readonly seed: number
  readonly limit: number
  /** Ids of methods and controls, or null for all. */
  readonly methods: readonly string[] | null
  readonly note: (message: string) => void
}

/** Fewer examples tell nothing. */
const FEWEST = 20

/** How many examples a method is given, and why not more; by what its description says it costs, at its default parameters. */
function affordable(
  { budget, repeats, most }: QualityPart,
  method: Method,
  { loaded }: Asking,
  tokens: number,
): number {
  const params = parseParams(method, {})
  const facts = { ...costFacts(loaded.entry.card, placeFor(method, null, loaded.facts), null), tokens }
  const cost = Math.max(1, method.cost(params, facts)) * (1 + repeats)
  return Math.min(most, Math.floor(budget / cost))
}

const CONTROLS = 'controls'

/** Each kind of control beside the others, from one pass over the examples. */
async function controlValues(
  part: QualityPart,
  samples: readonly unknown[],
  asking: Asking,
): Promise<ReadonlyMap<string, readonly Values[]>> {
  const byControl = new Map<string, Values[]>()
  for (const sample of samples)
    for (const [control, values] of Object.entries(await part.controls(sample, asking)))
      byControl.set(control, [...(byControl.get(control) ?? []), values])
  return byControl
}

function tokensOf(sample: unknown): number {
  return sample !== null && typeof sample === 'object' && 'tokens' in sample ? Number(sample.tokens) : 0
}

async function measurePart(part: QualityPart, entry: CatalogueEntry, asked: Measuring): Promise<void> {
  const { data, out, seed, threads, limit, note } = asked
  const loaded = await loadModel(entry, { threads })
  const asking = { loaded, seed }
  const known = readQuality(out).filter(
    (line) => line.part === part.part && line.sha256 === entry.sha256 && line.seed === seed,
  )
  const all = await part.samples(data, asking)
  const dearest = all.reduce<number>((most, sample) => Math.max(most, tokensOf(sample)), 0)
  const wanted = (id: string): boolean => asked.methods?.includes(id) ?? true
  const keep = (method: string, version: number | null, values: readonly Values[]): void => {
    const figures = figuresOf(values, seed)
    const line: QualityLine = {
      part: part.part,
      model: entry.id,
      sha256: entry.sha256,
      method,
      version,
      n: values.length,
      seed,
      figures,
    }
    appendQuality(out, line)
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }

  if (wanted(CONTROLS) && !known.some(({ version }) => version === null)) {
    const samples = spread(all, Math.min(part.most, limit))
    for (const [control, values] of await controlValues(part, samples, asking)) keep(control, null, values)
  }
  for (const method of METHODS.filter(({ modality }) => modality === loaded.facts.modality)) {
    if (!wanted(method.id)) continue
    if (known.some((line) => line.method === method.id && line.version === method.version)) continue
    try {
      const count = Math.min(limit, affordable(part, method, asking, dearest))
      if (count < Math.min(FEWEST, part.most, limit)) {
        note(`${part.part}: ${method.id} is left out: it is too dear for more than ${count} examples.`)
        continue
      }
      const progress = new Progress(`${part.part}: ${method.id}`, count, process.stderr)
      const values: Values[] = []
      for (const sample of spread(all, count)) {
        values.push(await part.judge(sample, method, asking))
        progress.advance(1)
      }
      progress.end()
      keep(method.id, method.version, values)
    } catch (thrown) {
      const error = AppError.from(thrown)
      if (error.code !== 'METHOD_UNAVAILABLE') throw thrown
      note(`${part.part}: ${error.message}`)
    }
  }
  await loaded.model.dispose()
}

/** @throws AppError UNKNOWN_MODEL; NOT_FOUND where none of the parts has its data */
export async function measureQuality(parts: readonly QualityPart[], asked: Measuring): Promise<void> {
  const entries = await listModels(asked.models)
  let measured = false
  for (const part of parts) {
    const entry = entries.find(({ id }) => id === part.model)
    if (entry === undefined)
      throw new AppError({ code: 'UNKNOWN_MODEL', message: `There is no ${part.model} in ${asked.models}.` })
    if (!existsSync(join(asked.data, part.file))) {
      asked.note(`${part.part} is skipped: there is no ${part.file} in ${asked.data}.`)
      continue
    }
    await measurePart(part, entry, asked)
    measured = true
  }
  if (!measured)
    throw new AppError({
      code: 'NOT_FOUND',
      message: `Nothing in ${asked.data} measures quality. Set LIMELIGHT_DATA to the folder with pets-masks.tar, rationales.jsonl.xz and counterfactual-pairs.jsonl.xz.`,
    })
}
