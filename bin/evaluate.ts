/**
 * `npm run evaluate -- <model> [--limit N] [--threads N]`: measures a bundled model through the product's own engine and
 * preprocessing, on the data in LIMELIGHT_DATA (default ../shared/data). One JSON line a data set on standard output;
 * progress on standard error.
 */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  CATS_DOGS_TEST,
  IMDB_TEST,
  SST2_DEV,
  type LabelledImage,
  type LabelledSet,
  type LabelledText,
} from '../bench/datasets/labelled.ts'
import { Progress } from '../bench/progress.ts'
import { AppError } from '../lib/errors.ts'
import { decodeImage } from '../lib/image/decode.ts'
import { preprocessImage } from '../lib/image/preprocess.ts'
import { listModels } from '../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../lib/models/load.ts'
import type { ImagePreprocessing, TextPreprocessing } from '../lib/models/card.ts'
import { asFloat, float32, int64, type FloatTensor, type Tensor } from '../lib/tensor/tensor.ts'

const BATCH = 16

interface Score {
  readonly n: number
  readonly correct: number
}

/** The index of the largest logit of each row: [N, K] -> N. */
function argmaxRows(logits: FloatTensor): number[] {
  const [rows = 0, classes = 0] = logits.dims
  return Array.from({ length: rows }, (_, row) => {
    const values = Array.from(logits.data.subarray(row * classes, (row + 1) * classes))
    return values.indexOf(Math.max(...values))
  })
}

async function predict(loaded: LoadedModel, feeds: Record<string, Tensor>): Promise<string[]> {
  const { model, entry } = loaded
  const answer = await model.ask({ feeds, read: [model.logits] })
  const logits = answer.values[model.logits]
  if (logits === undefined) throw new AppError({ code: 'INTERNAL', message: 'the engine returned no logits' })
  return argmaxRows(asFloat(logits, model.logits)).map((index) => entry.card.labels[index] ?? '?')
}

async function* limited<T>(items: AsyncGenerator<T>, limit: number): AsyncGenerator<T> {
  let taken = 0
  for await (const item of items) {
    if (taken++ >= limit) return
    yield item
  }
}

/** 1 where the prediction is the label. */
function hits(predicted: readonly string[], examples: readonly { label: string }[]): number {
  return examples.filter((example, index) => predicted[index] === example.label).length
}

async function scoreImages(
  loaded: LoadedModel,
  preprocessing: ImagePreprocessing,
  examples: AsyncGenerator<LabelledImage>,
  progress: Progress,
): Promise<Score> {
  const [input = ''] = loaded.model.inputs
  let n = 0
  let correct = 0
  let batch: { label: string; feed: FloatTensor }[] = []
  const flush = async () => {
    if (batch.length === 0) return
    const rows = batch
    batch = []
    const size = rows[0]?.feed.data.length ?? 0
    const data = new Float32Array(size * rows.length)
    rows.forEach((row, index) => data.set(row.feed.data, index * size))
    const dims = [rows.length, ...(rows[0]?.feed.dims.slice(1) ?? [])]
    correct += hits(await predict(loaded, { [input]: float32(data, dims) }), rows)
    progress.advance(rows.length)
  }
  for await (const example of examples) {
    const { feed } = await preprocessImage(await decodeImage(example.bytes), preprocessing)
    batch.push({ label: example.label, feed })
    n++
    if (batch.length === BATCH) await flush()
  }
  await flush()
  return { n, correct }
}

/** Texts of one length make a batch without padding, so that a batch gives what single texts give. */
async function scoreTexts(
  loaded: LoadedModel,
  preprocessing: TextPreprocessing,
  examples: AsyncGenerator<LabelledText>,
  progress: Progress,
): Promise<Score> {
  const { tokenizer } = loaded
  if (tokenizer === null) throw new AppError({ code: 'BAD_MODEL', message: `${loaded.entry.id} has no tokenizer` })
  const byLength = new Map<number, { label: string; feeds: Readonly<Record<string, Tensor<BigInt64Array>>> }[]>()
  let n = 0
  for await (const example of examples) {
    const { feeds, ids } = await tokenizer.encode(example.text, preprocessing)
    const group = byLength.get(ids.length) ?? []
    group.push({ label: example.label, feeds })
    byLength.set(ids.length, group)
    n++
  }
  let correct = 0
  for (const [length, group] of byLength) {
    for (let start = 0; start < group.length; start += BATCH) {
      const rows = group.slice(start, start + BATCH)
      const feeds: Record<string, Tensor> = {}
      for (const input of loaded.model.inputs) {
        const data = new BigInt64Array(rows.length * length)
        rows.forEach((row, index) => {
          const one = row.feeds[input]
          if (one === undefined) throw new AppError({ code: 'BAD_MODEL', message: `the tokenizer makes no ${input}` })
          data.set(one.data, index * length)
        })
        feeds[input] = int64(data, [rows.length, length])
      }
      correct += hits(await predict(loaded, feeds), rows)
      progress.advance(rows.length)
    }
  }
  return { n, correct }
}

async function measure<Example>(
  set: LabelledSet<Example>,
  loaded: LoadedModel,
  options: { data: string; limit: number },
  score: (examples: AsyncGenerator<Example>, progress: Progress) => Promise<Score>,
): Promise<void> {
  const progress = new Progress(`${loaded.entry.id} on ${set.name}`, Math.min(set.size, options.limit), process.stderr)
  const { n, correct } = await score(limited(set.examples(options.data), options.limit), progress)
  progress.end()
  const { id, sha256 } = loaded.entry
  const { name, backend, version } = loaded.model.engine
  const line = {
    model: id,
    dataset: set.name,
    n,
    correct,
    accuracy: correct / n,
    sha256,
    engine: name,
    backend,
    version,
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { limit: { type: 'string' }, threads: { type: 'string' }, models: { type: 'string', default: 'models' } },
  })
  const data = resolve(process.env['LIMELIGHT_DATA'] ?? '../shared/data')
  const entries = await listModels(resolve(values.models))
  const entry = entries.find((one) => one.id === positionals[0])
  if (entry === undefined) {
    const known = entries.map((one) => one.id).join(', ')
    throw new AppError({ code: 'UNKNOWN_MODEL', message: `Name a model to evaluate: ${known}.` })
  }
  if (!existsSync(join(data, 'README.md')))
    throw new AppError({
      code: 'NOT_FOUND',
      message: `There is no data in ${data}. Set LIMELIGHT_DATA to the folder with cats-dogs.tar and imdb-test.tsv.xz.`,
    })
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit)
  const threads = values.threads === undefined ? availableParallelism() : Number(values.threads)
  if (!(limit > 0) || !Number.isInteger(threads) || threads < 1)
    throw new AppError({ code: 'BAD_PARAMETER', message: '--limit and --threads take a positive whole number.' })

  const loaded = await loadModel(entry, { threads })
  const { preprocessing } = entry.card
  const options = { data, limit }
  if (preprocessing.kind === 'image') {
    await measure(CATS_DOGS_TEST, loaded, options, (examples, progress) =>
      scoreImages(loaded, preprocessing, examples, progress),
    )
  } else {
    for (const set of [SST2_DEV, IMDB_TEST])
      await measure(set, loaded, options, (examples, progress) => scoreTexts(loaded, preprocessing, examples, progress))
  }
  await loaded.model.dispose()
}

try {
  await main()
} catch (thrown) {
  process.stderr.write(`evaluate: ${AppError.from(thrown).message}\n`)
  process.exitCode = 1
}
