/** Accuracy of a bundled model through the product's own engine and preprocessing: how often the right label comes first. */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../lib/errors.ts'
import { decodeImage } from '../lib/image/decode.ts'
import { preprocessImage } from '../lib/image/preprocess.ts'
import type { ImagePreprocessing, TextPreprocessing } from '../lib/models/card.ts'
import { listModels } from '../lib/models/catalogue.ts'
import { loadModel, type LoadedModel } from '../lib/models/load.ts'
import { asFloat, float32, int64, type FloatTensor, type Tensor } from '../lib/tensor/tensor.ts'
import {
  CATS_DOGS_TEST,
  IMAGENET_PHOTOS,
  IMDB_TEST,
  SST2_DEV,
  type LabelledImage,
  type LabelledSet,
  type LabelledText,
} from './datasets/labelled.ts'
import { Progress } from './progress.ts'

const BATCH = 16
const TOP = 5

/** How many examples there are, and of how many the right label came first, or among the first five. */
class Score {
  n = 0
  correct = 0
  top = 0

  add(ranks: readonly number[]): void {
    this.n += ranks.length
    this.correct += ranks.filter((rank) => rank === 0).length
    this.top += ranks.filter((rank) => rank < TOP).length
  }
}

/**
 * For each row, how many classes the model ranks before its label.
 * @throws AppError BAD_INPUT for a label that the card does not name
 */
async function ranksOf(
  loaded: LoadedModel,
  feeds: Record<string, Tensor>,
  rows: readonly { readonly label: string }[],
): Promise<number[]> {
  const { model, entry } = loaded
  const answer = await model.ask({ feeds, read: [model.logits] })
  const logits = answer.values[model.logits]
  if (logits === undefined) throw new AppError({ code: 'INTERNAL', message: 'the engine returned no logits' })
  const { data } = asFloat(logits, model.logits) // [N, K]
  const { labels } = entry.card
  return rows.map(({ label }, row) => {
    const right = labels.indexOf(label)
    if (right < 0)
      throw new AppError({ code: 'BAD_INPUT', message: `The data has the label "${label}", which ${entry.id} lacks.` })
    const values = data.subarray(row * labels.length, (row + 1) * labels.length)
    const own = values[right] ?? Number.NaN
    return values.filter((value, index) => value > own || (value === own && index < right)).length
  })
}

async function* limited<T>(items: AsyncGenerator<T>, limit: number): AsyncGenerator<T> {
  let taken = 0
  for await (const item of items) {
    if (taken++ >= limit) return
    yield item
  }
}

async function scoreImages(
  loaded: LoadedModel,
  preprocessing: ImagePreprocessing,
  examples: AsyncGenerator<LabelledImage>,
  progress: Progress,
): Promise<Score> {
  const [input = ''] = loaded.model.inputs
  const score = new Score()
  let batch: { label: string; feed: FloatTensor }[] = []
  const flush = async () => {
    if (batch.length === 0) return
    const rows = batch
    batch = []
    const size = rows[0]?.feed.data.length ?? 0
    const data = new Float32Array(size * rows.length)
    rows.forEach((row, index) => data.set(row.feed.data, index * size))
    const dims = [rows.length, ...(rows[0]?.feed.dims.slice(1) ?? [])]
    score.add(await ranksOf(loaded, { [input]: float32(data, dims) }, rows))
    progress.advance(rows.length)
  }
  for await (const example of examples) {
    const { feed } = await preprocessImage(await decodeImage(example.bytes), preprocessing)
    batch.push({ label: example.label, feed })
    if (batch.length === BATCH) await flush()
  }
  await flush()
  return score
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
  for await (const example of examples) {
    const { feeds, ids } = await tokenizer.encode(example.text, preprocessing)
    const group = byLength.get(ids.length) ?? []
    group.push({ label: example.label, feeds })
    byLength.set(ids.length, group)
  }
  const score = new Score()
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
      score.add(await ranksOf(loaded, feeds, rows))
      progress.advance(rows.length)
    }
  }
  return score
}

/** Prints the figures of a set, where the model answers what it asks; a set whose archive is not there is skipped. @returns whether it was measured */
async function measure<Example>(
  set: LabelledSet<Example>,
  loaded: LoadedModel,
  options: { data: string; limit: number },
  score: (examples: AsyncGenerator<Example>, progress: Progress) => Promise<Score>,
): Promise<boolean> {
  const { id, sha256, card } = loaded.entry
  if (!set.suits(card.labels)) return false
  if (!existsSync(join(options.data, set.file))) {
    process.stderr.write(`evaluate: ${set.name} is skipped: there is no ${set.file} in ${options.data}.\n`)
    return false
  }
  const progress = new Progress(`${loaded.entry.id} on ${set.name}`, Math.min(set.size, options.limit), process.stderr)
  const { n, correct, top } = await score(limited(set.examples(options.data), options.limit), progress)
  progress.end()
  const { name, backend, version } = loaded.model.engine
  const line = {
    model: id,
    dataset: set.name,
    n,
    correct,
    accuracy: correct / n,
    ...(card.labels.length > TOP ? { top5: top / n } : {}),
    sha256,
    engine: name,
    backend,
    version,
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
  return true
}

/** @param args of the command. @throws AppError UNKNOWN_MODEL, NOT_FOUND, BAD_PARAMETER */
export async function accuracy(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
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
      message: `There is no data in ${data}. Set LIMELIGHT_DATA to the folder with cats-dogs.tar, photos.tar and imdb-test.tsv.xz.`,
    })
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit)
  const threads = values.threads === undefined ? availableParallelism() : Number(values.threads)
  if (!(limit > 0) || !Number.isInteger(threads) || threads < 1)
    throw new AppError({ code: 'BAD_PARAMETER', message: '--limit and --threads take a positive whole number.' })

  const loaded = await loadModel(entry, { threads })
  const { preprocessing } = entry.card
  const options = { data, limit }
  const measured: boolean[] = []
  if (preprocessing.kind === 'image') {
    for (const set of [CATS_DOGS_TEST, IMAGENET_PHOTOS])
      measured.push(
        await measure(set, loaded, options, (examples, progress) =>
          scoreImages(loaded, preprocessing, examples, progress),
        ),
      )
  } else {
    for (const set of [SST2_DEV, IMDB_TEST])
      measured.push(
        await measure(set, loaded, options, (examples, progress) =>
          scoreTexts(loaded, preprocessing, examples, progress),
        ),
      )
  }
  await loaded.model.dispose()
  if (!measured.includes(true))
    throw new AppError({ code: 'NOT_FOUND', message: `Nothing in ${data} measures ${entry.id}.` })
}
