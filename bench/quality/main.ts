/** `npm run evaluate -- quality`: what explanations are worth, against what people marked and against a model that knows nothing. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../../lib/errors.ts'
import { writePages } from '../documents/pages.ts'
import { PARTS } from './figures.ts'
import { measureQuality } from './measure.ts'
import type { QualityPart } from './part.ts'
import { pets, sanityPictures } from './pictures.ts'
import { edits, rationales, sanityTexts } from './texts.ts'

const ALL: readonly QualityPart[] = [pets, rationales, edits, sanityPictures, sanityTexts]

const OPTIONS = {
  limit: { type: 'string' },
  methods: { type: 'string' },
  seed: { type: 'string', default: '0' },
  threads: { type: 'string', default: '1' },
  models: { type: 'string', default: 'models' },
  out: { type: 'string', default: 'docs/quality.jsonl' },
  write: { type: 'boolean', default: false },
} as const

/** @param args behind `quality`. @throws AppError BAD_PARAMETER, and as {@link measureQuality} */
export async function quality(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
  const [seed, threads] = [Number(values.seed), Number(values.threads)]
  const limit = values.limit === undefined ? Infinity : Number(values.limit)
  const parts = positionals.length === 0 ? ALL : ALL.filter(({ part }) => positionals.includes(part))
  if (!(limit > 0) || !Number.isInteger(threads) || threads < 1 || !Number.isInteger(seed))
    throw new AppError({ code: 'BAD_PARAMETER', message: '--limit, --threads and --seed take whole numbers.' })
  if (parts.length < positionals.length)
    throw new AppError({ code: 'BAD_PARAMETER', message: `The parts of quality are ${PARTS.join(', ')}.` })
  await measureQuality(parts, {
    data: resolve(process.env['LIMELIGHT_DATA'] ?? '../shared/data'),
    models: resolve(values.models),
    out: resolve(values.out),
    threads,
    seed,
    limit,
    methods: values.methods?.split(',') ?? null,
    note: (message) => process.stderr.write(`evaluate: ${message}\n`),
  })
  if (values.write) await writePages(resolve(import.meta.dirname, '../..'))
}
