/** Speed on the bundled sentiment model: gradients at the embedding, and what batching gives integrated gradients. */
import { resolve } from 'node:path'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { loadOnnxModel } from '../../lib/engine/onnx/load.ts'
import { listModels } from '../../lib/models/catalogue.ts'
import { asFloat, float32, int64, type FloatTensor, type Tensor } from '../../lib/tensor/tensor.ts'
import { atMost, type Benchmark } from '../figure.ts'
import { compare } from '../measure.ts'
import { uniform } from '../random/uniform.ts'

const MODEL = 'reviews-minilm'
const TOKENS = 128
const BATCH = 16
const STEPS = 50
const STEP_BATCH = 5

/** Random words between [CLS] and [SEP] of an uncased BERT vocabulary. */
function tokenIds(rows: number): bigint[] {
  const random = uniform(7)
  return Array.from({ length: rows * TOKENS }, (_, position) => {
    const column = position % TOKENS
    if (column === 0) return 101n
    return column === TOKENS - 1 ? 102n : BigInt(2000 + Math.floor(random() * 20000))
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

/** The rows of an embedding [1, T, E] scaled by each factor: [factors, T, E], a straight path from zero. */
function path(embedding: FloatTensor, factors: readonly number[]): FloatTensor {
  const [, tokens = 0, size = 0] = embedding.dims
  const data = new Float32Array(factors.length * embedding.data.length)
  factors.forEach((factor, row) => {
    embedding.data.forEach((value, index) => (data[row * embedding.data.length + index] = factor * value))
  })
  return float32(data, [factors.length, tokens, size])
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

    const one = feedsOf(1)
    const read = await model.ask({ feeds: one, read: [tap] })
    const value = read.values[tap]
    if (value === undefined) throw new Error(`no value of ${tap}`)
    const embedding = asFloat(value, tap)
    const factors = Array.from({ length: STEPS }, (_, step) => (step + 0.5) / STEPS)
    const gradientAt = (some: readonly number[], feeds: Record<string, Tensor>) =>
      model.ask({
        feeds,
        from: { [tap]: path(embedding, some) },
        read: [model.logits],
        gradient: { of: { [model.logits]: positive(some.length) }, wrt: [tap] },
      })
    const stepFeeds = feedsOf(STEP_BATCH)
    const batched = async () => {
      for (let start = 0; start < STEPS; start += STEP_BATCH)
        await gradientAt(factors.slice(start, start + STEP_BATCH), stepFeeds)
    }
    const singly = async () => {
      for (const factor of factors) await gradientAt([factor], one)
    }
    const steps = await compare(batched, singly, Math.max(3, Math.round(rounds / 5)))
    yield {
      name: `integrated_gradients_over_singles.${MODEL}`,
      value: steps.ratio,
      bar: atMost(0.8),
      unit: 'times 50 single gradients',
      detail: { ms: steps.aMs, singlesMs: steps.bMs, tokens: TOKENS, steps: STEPS, batch: STEP_BATCH },
    }
    await model.dispose()
    await session.release()
  },
}
