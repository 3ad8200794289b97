/** How far ahead of Captum on texts: integrated gradients at the word embedding, 128 tokens, for the same answer. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { loadOnnxModel } from '../../lib/engine/onnx/model/load.ts'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { integratedGradients } from '../../lib/methods/text/integrated-gradients.ts'
import type { TextContext } from '../../lib/methods/context.ts'
import type { TextResult } from '../../lib/methods/method.ts'
import { listModels } from '../../lib/models/catalogue.ts'
import { loadModel } from '../../lib/models/load.ts'
import { asFloat } from '../../lib/tensor/tensor.ts'
import { feedsOf, inputRoles } from '../../lib/text/feeds.ts'
import type { EncodedText } from '../../lib/text/tokenizer.ts'
import { IMDB_TEST } from '../datasets/labelled.ts'
import { atLeast, type BenchContext, type Benchmark, type Figure } from '../figure.ts'
import { calling, inTurn, median } from '../measure.ts'
import { agree } from '../peers/agreement.ts'
import { Peer } from '../peers/peer.ts'
import { encodedContext, opened } from './contexts.ts'

const MODEL = 'reviews-minilm'
const TOKENS = 128
const STEPS = 50
/** Captum's internal_batch_size. */
const THEIR_BATCH = 10
const REVIEWS = 9

/** Rounding in other orders, over six layers and fifty points. */
const LOGITS_BOUND = 1e-4
const SCORES_BOUND = 1e-3

interface Reader {
  readonly model: ExplainableModel
  readonly vocabulary: TextContext['vocabulary']
  encode(text: string): Promise<EncodedText>
}

/** Cut to 128 tokens as the product cuts what is too long: a longer review's start and end. */
async function openReader(threads: number): Promise<Reader & { readonly path: string }> {
  const entry = (await listModels(resolve('models'))).find((one) => one.id === MODEL)
  const preprocessing = entry?.card.preprocessing
  if (entry === undefined || preprocessing?.kind !== 'text') throw new Error(`no text model ${MODEL}`)
  const { model, tokenizer } = await loadModel(entry, { threads })
  if (tokenizer === null) throw new Error(`${MODEL} has no tokenizer`)
  return {
    model,
    vocabulary: tokenizer.vocabulary,
    encode: (text) => tokenizer.encode(text, { ...preprocessing, maxTokens: TOKENS }),
    path: entry.file,
  }
}

async function sampleReview(): Promise<string> {
  const { reviews } = JSON.parse(await readFile(resolve('public/samples/reviews.json'), 'utf8')) as {
    reviews: { id: string; text: string }[]
  }
  const long = reviews.find((review) => review.id === 'long')
  if (long === undefined) throw new Error('no long sample review')
  return long.text
}

/** Reviews of 128 tokens or more: of the IMDB test set where its data is at hand, else the bundled long one. */
async function realReviews({ data, note }: BenchContext, reader: Reader): Promise<readonly string[]> {
  if (!existsSync(join(data, 'imdb-test.tsv.xz'))) {
    note(`no IMDB reviews in ${data} (LIMELIGHT_DATA): the bundled sample review stands for them.`)
    return [await sampleReview()]
  }
  const found: string[] = []
  for await (const { text } of IMDB_TEST.examples(data)) {
    if ((await reader.encode(text)).ids.length === TOKENS) found.push(text)
    if (found.length === REVIEWS) break
  }
  return found
}

interface Explained {
  readonly context: TextContext
  readonly target: number
  readonly ids: readonly number[]
  /** [MASK] in place of every word, as the product's default baseline. */
  readonly baseline: readonly number[]
  readonly logits: Float32Array
}

/** The predicted class of a text. */
async function explainedText(reader: Reader, model: ExplainableModel, text: string): Promise<Explained> {
  const encoded = await reader.encode(text)
  const { ids, special } = encoded
  const { mask } = reader.vocabulary
  if (mask === null) throw new Error('no mask token')
  const { feeds } = feedsOf([ids], inputRoles(model.inputs), reader.vocabulary.pad)
  const { values } = await model.ask({ feeds, read: [model.logits] })
  const logits = values[model.logits]
  if (logits === undefined) throw new Error('no logits')
  const { data } = asFloat(logits, model.logits)
  const target = data.indexOf(Math.max(...data))
  const product = await opened(model, 'text', data.length)
  const context = encodedContext(product, integratedGradients, encoded, reader.vocabulary, target)
  return { context, target, ids, baseline: ids.map((id, at) => (special[at] === true ? id : mask)), logits: data }
}

/** The product's own method. */
function explain({ context }: Explained, params: Readonly<Record<string, unknown>>): Promise<TextResult> {
  return integratedGradients.run(context, integratedGradients.params.parse(params))
}

async function tell(peer: Peer, model: string, { ids, baseline, target, logits }: Explained): Promise<void> {
  const theirs = await peer.input(model, { ids, baseline, target })
  agree(`${model}: the logits`, logits, theirs, LOGITS_BOUND)
}

const METHOD = 'layer-integrated-gradients'
const OPTIONS = { batch: THEIR_BATCH }

/** The same 50 Gauss-Legendre points on both sides. */
async function samePoints(
  peer: Peer,
  model: string,
  explained: Explained,
  bar: number,
  rounds: number,
): Promise<Figure> {
  await tell(peer, model, explained)
  let ours: TextResult | null = null
  const run = async () => (ours = await explain(explained, { steps: STEPS, rule: 'gauss-legendre' }))
  const theirs = peer.contestant(model, METHOD, OPTIONS)
  const pace = { rounds: Math.max(3, Math.round(rounds / 3)), calls: 1, warmUps: 0 }
  await run()
  const times = await inTurn({ theirs, ours: calling(run) }, pace)
  const answer = await peer.answer(model, METHOD, OPTIONS)
  const scores = (ours as TextResult | null)?.scores.data ?? []
  return {
    name: `peers.captum-layer-integrated-gradients.${model}`,
    value: times.theirs / times.ours,
    bar: atLeast(bar),
    unit: 'times our time',
    detail: {
      ms: times.ours,
      peerMs: times.theirs,
      steps: STEPS,
      tokens: TOKENS,
      peerBatch: THEIR_BATCH,
      distance: agree('the scores', scores, answer.data, SCORES_BOUND),
      rounds: pace.rounds,
    },
  }
}

/** The product's default, which adds points until the scores add up to within 1 %, against Captum's default 50. */
async function toCompleteness(peer: Peer, reader: Reader, context: BenchContext): Promise<Figure> {
  const ratios: number[] = []
  const points: number[] = []
  const errors: number[] = []
  const all = { theirs: [] as number[], ours: [] as number[] }
  for (const review of await realReviews(context, reader)) {
    const explained = await explainedText(reader, reader.model, review)
    await tell(peer, MODEL, explained)
    let result: TextResult | null = null
    const run = async () => (result = await explain(explained, {}))
    const theirs = peer.contestant(MODEL, METHOD, OPTIONS)
    const times = await inTurn({ theirs, ours: calling(run) }, { rounds: 2, calls: 1, warmUps: 0 })
    const completeness = (result as TextResult | null)?.completeness
    ratios.push(times.theirs / times.ours)
    all.theirs.push(times.theirs)
    all.ours.push(times.ours)
    points.push(completeness?.points ?? NaN)
    errors.push(completeness?.error ?? NaN)
  }
  return {
    name: `peers.captum-to-completeness.${MODEL}`,
    value: median(ratios),
    bar: atLeast(1.6),
    unit: 'times our time',
    detail: {
      ms: median(all.ours),
      peerMs: median(all.theirs),
      reviews: ratios.length,
      ratios: ratios.map((ratio) => ratio.toFixed(2)).join(' '),
      points: points.join(' '),
      largestError: Math.max(...errors),
      tokens: TOKENS,
    },
  }
}

/** A group of figures on one text model; both use the tokenizer of reviews-minilm. */
function textPeers(
  python: string,
  name: string,
  measure: (peer: Peer, reader: Reader & { readonly path: string }, context: BenchContext) => AsyncGenerator<Figure>,
): Benchmark {
  return {
    name: `peers-${name}`,
    async *run(context) {
      const peer = new Peer(python, context.threads, context.folder)
      const reader = await openReader(context.threads)
      try {
        yield* measure(peer, reader, context)
      } finally {
        peer.close()
        await reader.model.dispose()
      }
    },
  }
}

export const textPeerBenchmarks = (python: string): readonly Benchmark[] => [
  textPeers(python, MODEL, async function* (peer, reader, context) {
    await peer.load(MODEL, reader.path)
    const explained = await explainedText(reader, reader.model, await sampleReview())
    yield await samePoints(peer, MODEL, explained, 1.15, context.rounds)
    yield await toCompleteness(peer, reader, context)
  }),
  textPeers(python, 'distilbert', async function* (peer, reader, context) {
    const path = join(context.folder, 'distilbert.onnx')
    await peer.exportDistilbert(path)
    await peer.load('distilbert', path)
    const model = await loadOnnxModel(path, { threads: context.threads })
    const explained = await explainedText(reader, model, await sampleReview())
    yield await samePoints(peer, 'distilbert', explained, 1, context.rounds)
    await model.dispose()
  }),
]
