/** Speed on the bundled sentiment model: gradients at the embedding, and what batching gives integrated gradients. */
import { resolve } from 'node:path'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import { loadOnnxModel } from '../../lib/engine/onnx/model/load.ts'
import { integratedGradients } from '../../lib/methods/text/integrated-gradients.ts'
import { baselines } from '../../lib/methods/text/shared/baseline.ts'
import { batchSize } from '../../lib/methods/text/shared/embedding.ts'
import { pathPoints } from '../../lib/methods/shared/path-integral.ts'
import { straightPath } from '../../lib/methods/shared/path-rows.ts'
import { repeated } from '../../lib/methods/shared/reading.ts'
import { listModels } from '../../lib/models/catalogue.ts'
import { quadrature } from '../../lib/tensor/quadrature.ts'
import { asFloat, float32, int64, type FloatTensor, type Tensor } from '../../lib/tensor/tensor.ts'
import { atMost, type Benchmark } from '../figure.ts'
import { compare } from '../measure.ts'
import { uniform } from '../random/uniform.ts'
import { encodedContext, opened } from './contexts.ts'

const MODEL = 'reviews-minilm'
const TOKENS = 128
const BATCH = 16
const STEPS = 50
const [CLS, SEP, MASK] = [101, 102, 103]

/** Random words between [CLS] and [SEP] of an uncased BERT vocabulary. */
function tokenIds(rows: number): bigint[] {
  const random = uniform(7)
  return Array.from({ length: rows * TOKENS }, (_, position) => {
    const column = position % TOKENS
    if (column === 0) return BigInt(CLS)
    return column === TOKENS - 1 ? BigInt(SEP) : BigInt(2000 + Math.floor(random() * 20000))
  })
}

function feedsOf(rows: number): Record<string, Tensor<BigInt64Array>> {
  const dims = [rows, TOKENS]
  const fill = (value: bigint) => new BigInt64Array(rows * TOKENS).fill(value)
  return {
    input_ids: int64(BigInt64Array.from(tokenIds(rows)), dims),
    attention_mask: int64(fill(1n), dims),
    token_type_ids: int64(fill(0n), dims),
  }
}

function positive(rows: number): FloatTensor {
  return float32(
    Float32Array.from({ length: rows * 2 }, (_, index) => index % 2),
    [rows, 2],
  )
}

/** The product's own path of integrated gradients, from a text of [MASK] to a text of random words. */
async function pathOf(model: ExplainableModel): Promise<(alphas: readonly number[]) => Promise<unknown>> {
  const feeds = feedsOf(1)
  const { values } = await model.ask({ feeds, read: [model.defaultTap] })
  const value = values[model.defaultTap]
  if (value === undefined) throw new Error(`no value of ${model.defaultTap}`)
  const { data } = asFloat(value, model.defaultTap)
  const [, ...dims] = value.dims
  const ids = Array.from(feeds['input_ids']?.data ?? [], Number)
  const special = ids.map((id) => id === CLS || id === SEP)
  const encoded = { ids, special, tokens: ids.map(() => ({ text: '', start: 0, end: 0 })), feeds }
  const vocabulary = { pad: 0, mask: MASK, unknown: null }
  const context = encodedContext(await opened(model, 'text', 2), integratedGradients, encoded, vocabulary, 1)
  const embedding = float32(data, dims)
  const [baseline] = await baselines(context, embedding, 'mask', 'keep')
  if (baseline === undefined) throw new Error('no baseline')
  const start = float32(baseline.embedding.data, [1, ...dims])
  const way = {
    place: model.defaultTap,
    path: straightPath(float32(data, [1, ...dims]), start),
    baseline: start,
    over: [2],
    places: TOKENS,
    perQuestion: batchSize(TOKENS),
    feeds: (rows: number) => repeated(context.feeds, rows),
  }
  return async (alphas) => {
    let points = 0
    for await (const batch of pathPoints(context, way, alphas)) points += batch.length
    return points
  }
}

export const TEXT_BENCHMARK: Benchmark = {
  name: MODEL,
  async *run({ threads, rounds }) {
    const entry = (await listModels(resolve('models'))).find((one) => one.id === MODEL)
    if (entry === undefined) throw new Error(`no model ${MODEL}`)
    const model = await loadOnnxModel(entry.file, { defaultTap: entry.card.defaultTap, threads })
    const session = await InferenceSession.create(entry.file, {
      intraOpNumThreads: threads,
      graphOptimizationLevel: 'all',
    })
    const tap = model.defaultTap

    const batch = feedsOf(BATCH)
    const runtimeFeeds = Object.fromEntries(
      session.inputNames.map((name) => {
        const tensor = batch[name]
        if (tensor === undefined) throw new Error(`no feed ${name}`)
        return [name, new RuntimeTensor('int64', tensor.data, tensor.dims)]
      }),
    )
    const batchGradient = () =>
      model.ask({
        feeds: batch,
        read: [model.logits],
        gradient: { of: { [model.logits]: positive(BATCH) }, wrt: [tap] },
      })
    const whole = await compare(batchGradient, () => session.run(runtimeFeeds), rounds)
    yield {
      name: `embedding_gradient_over_forward.${MODEL}`,
      value: whole.ratio,
      bar: atMost(2.3),
      unit: 'forward passes',
      detail: { ms: whole.aMs, forwardMs: whole.bMs, tokens: TOKENS, batch: BATCH, rounds },
    }

    const path = await pathOf(model)
    const { nodes } = quadrature('gauss-legendre', STEPS)
    const singly = async () => {
      for (const alpha of nodes) await path([alpha])
    }
    const steps = await compare(() => path(nodes), singly, Math.max(3, Math.round(rounds / 5)))
    yield {
      name: `integrated_gradients_over_singles.${MODEL}`,
      value: steps.ratio,
      bar: atMost(0.8),
      unit: 'times 50 single gradients',
      detail: { ms: steps.aMs, singlesMs: steps.bMs, tokens: TOKENS, steps: STEPS, batch: batchSize(TOKENS) },
    }
    await model.dispose()
    await session.release()
  },
}
