/**
 * LeGrad: how each block of a vision transformer would raise its own score of the class by looking more at a token.
 *
 * Bousselham et al. 2024, https://arxiv.org/abs/2404.03214, equations 5 to 10: s^l is the head's score of the mean of block l's tokens,
 * map = mean over blocks, heads and queries of ReLU(ds^l / dA^l), the class token left out. As its authors' code and torch-cam, the
 * mean is over all tokens; the last scaling to 0..1 is a matter of display.
 *
 * Letters: L blocks, T tokens, E embedding size, A^l attention weights [N, heads, T, T], Z^l tokens behind block l [N, T, E].
 */
import { z } from 'zod'
import { gradient, mean, relu, sum } from '../../engine/formula.ts'
import type { Tap, TokenGrid } from '../../engine/model.ts'
import { AppError, throwIfCancelled } from '../../errors.ts'
import type { ModelFacts } from '../../models/facts.ts'
import { settled, stateScalar } from '../../target/scalar.ts'
import { float32, row, type FloatTensor } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { answered } from '../shared/batches.ts'
import { repeated } from '../shared/reading.ts'
import { diagnoseMap } from './shared/diagnose.ts'

interface Block {
  readonly attention: Tap
  /** Its tokens behind the last sum with what came in. */
  readonly tokens: Tap
  readonly grid: TokenGrid
}

/** Each attention with the last sum of tokens behind it, before the next one. @throws AppError METHOD_UNAVAILABLE */
function blocksOf({ taps, title }: ModelFacts): readonly Block[] {
  const starts = taps.flatMap((tap, at) => (tap.looksAt === 'self' ? [at] : []))
  return starts.map((start, layer) => {
    const between = taps.slice(start, starts[layer + 1])
    const tokens = between.findLast((tap) => tap.kind === 'add' && tap.grid !== undefined && tap.mapOf === undefined)
    const attention = taps[start]
    if (attention !== undefined && tokens?.grid !== undefined) return { attention, tokens, grid: tokens.grid }
    throw new AppError({
      code: 'METHOD_UNAVAILABLE',
      message: `LeGrad cannot explain ${title}: behind attention ${layer + 1} of ${starts.length} no sum of tokens on a grid over the picture was found, which is where a block ends.`,
    })
  })
}

const params = z.strictObject({
  layers: z.int().min(1).max(1000).nullable().default(null).meta({
    title: 'Layers',
    description: 'How many of the last blocks to average over; empty: all of them, as in the paper.',
  }),
})

/** The mean token [E] of [1, T, E]. */
function meanToken({ dims: [, count = 0, size = 0], data }: FloatTensor): Float64Array {
  const means = new Float64Array(size)
  data.forEach((value, at) => (means[at % size] = (means[at % size] ?? 0) + value / count))
  return means
}

/** The same vector for every token, [1, T, E]. */
function everyToken(vector: ArrayLike<number>, count: number): FloatTensor {
  return float32(Float32Array.from({ length: count * vector.length }, (_, at) => vector[at % vector.length] ?? 0), [1, count, vector.length]) // prettier-ignore
}

export const leGrad = imageMethod<z.infer<typeof params>>({
  id: 'legrad',
  version: 1,
  modality: 'image',
  family: 'attention',
  title: 'LeGrad',
  summary:
    'Which patches a vision transformer would gain by looking at: the positive gradient of each block’s own score with respect to its attention.',
  meaning:
    'A map on the grid of patches, never negative. Behind each block the head is asked for the class’s score of the mean token, as if the network ended there; a patch counts by how much that score would rise if the block’s heads put more attention on it, averaged over heads, queries and blocks. The attention weights themselves do not enter: it is a sensitivity of what the block forms, not a picture of where it looks.',
  misleads:
    'The head was trained on the last block’s class token; asked of the mean token of an early block it gives scores that the model never uses, and early blocks count as much as late ones. Only rises are kept, so nothing speaks against a class. A gradient tells of a little more attention on a patch, which the softmax would take from the others. In networks that read a class token, or whose tokens gather global information in a few patches (registers help), bright background patches may be such stores.',
  paper: {
    title: 'LeGrad: An Explainability Method for Vision Transformers via Feature Formation Sensitivity',
    authors: 'Bousselham, Boggust, Chaybouti, Strobelt, Kuehne',
    year: 2024,
    url: 'https://arxiv.org/abs/2404.03214',
  },
  needs: [
    { place: 'attention', gradient: true },
    { place: 'token-grid', gradient: true },
  ],
  params,
  output: { kind: 'map', signed: false, complete: false },
  // One forward pass, each block once more and back, and the head a block.
  cost: () => 6,
  async run(context, { layers }) {
    const { model, facts, feeds, head, signal } = context
    const all = blocksOf(facts)
    const last = all.at(-1)
    if (last === undefined) throw new AppError({ code: 'INTERNAL', message: 'no attention, though it was asked for' })
    const kept = all.slice(-(layers ?? all.length))
    throwIfCancelled(signal)
    const { values } = await model.ask({ feeds, read: [head.logits, ...all.map(({ tokens }) => tokens.id)] }, signal)
    const logits = row(answered(values, head.logits), 0)
    const target = settled(context.target, logits.data)
    const { leading, rows, columns } = last.grid
    const total = new Float64Array(rows * columns)
    let largest = 0
    for (const [at, { attention, tokens }] of kept.entries()) {
      throwIfCancelled(signal)
      const own = answered(values, tokens.id) // Z^l
      const [, count = 0] = own.dims
      const ended = { feeds: repeated(feeds, 1), from: { [last.tokens.id]: everyToken(meanToken(own), count) } }
      const { of, perRow } = stateScalar(target, head)
      const slopes = { atMean: sum(gradient(last.tokens.id), [1]) }
      const scored = await model.ask({ ...ended, read: [], gradient: { of, wrt: [] }, formulas: { perRow, outputs: slopes } }, signal) // prettier-ignore
      throwIfCancelled(signal)
      const cotangent = everyToken(
        answered(scored.computed, 'atMean').data.map((one) => one / count),
        count,
      )
      const before = all[all.length - kept.length + at - 1]?.tokens.id
      const looked = await model.ask(
        {
          feeds,
          ...(before === undefined ? {} : { from: { [before]: answered(values, before) } }),
          read: [],
          gradient: { of: { [tokens.id]: cotangent }, wrt: [] },
          formulas: { outputs: { looked: mean(relu(gradient(attention.id)), [1, 2]) } },
        },
        signal,
      )
      throwIfCancelled(signal)
      const { data } = answered(looked.computed, 'looked') // [1, 1, 1, T]
      total.forEach((one, place) => (total[place] = one + (data[leading + place] ?? Number.NaN) / kept.length))
      largest = Math.max(largest, ...data)
      context.progress((at + 1) / kept.length)
    }
    const map = float32(Float32Array.from(total), [rows, columns])
    const diagnoses = diagnoseMap(map, logits, target, largest, head.link)
    return { kind: 'image', map, layer: null, logits, diagnoses }
  },
})
