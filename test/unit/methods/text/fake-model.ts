/**
 * A text model with closed forms. With word embeddings x[t] in R^E (looked up by id) and fixed vectors u, v:
 *   logit 0 = sum_t tanh(<u, x[t]>)          separable: integrated gradients are tanh(<u, x>) - tanh(<u, b>)
 *   logit 1 = 1/2 (sum_t <v, x[t]>)^2        quadratic: <v, x[t] - b[t]> (z(x) + z(b)) / 2 with z = sum_t <v, x[t]>
 *   logit 2 = 3                              constant
 * Letters: N rows, T tokens, E embedding size, K = 3 classes.
 */
import { AppError } from '../../../../lib/errors.ts'
import {
  askWithLateWeights,
  weightsAmong,
  type LateWeights,
  type PlainAnswer,
  type PlainQuestion,
} from '../../../../lib/engine/literal-formulas.ts'
import type { ExplainableModel } from '../../../../lib/engine/model.ts'
import type { TextContext, Vocabulary } from '../../../../lib/methods/context.ts'
import type { ModelFacts } from '../../../../lib/models/facts.ts'
import { headOf, textContext, type Asked as AskedOf, type RunParts } from '../../../../lib/prepare.ts'
import { classTarget } from '../../../../lib/target/target.ts'
import { float32, type FloatTensor } from '../../../../lib/tensor/tensor.ts'

export const SIZE = 5
const CLASSES = 3
const TAP = 'words'
const wave = (index: number, phase: number): number => Math.sin(1.7 * index + phase)
export const U = Array.from({ length: SIZE }, (_, feature) => wave(feature, 0.3))
export const V = Array.from({ length: SIZE }, (_, feature) => wave(feature, 1.1))
/** The embedding of an id, [E], as float32. */
export const wordOf = (id: number): number[] =>
  Array.from({ length: SIZE }, (_, feature) => Math.fround(wave(id * SIZE + feature, 0.7)))
export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)

export interface FakeModel extends ExplainableModel {
  /** As they were answered: formulas for inputs are tensors in them. */
  readonly questions: Asked[]
}

/**
 * @param sharpness multiplies what tanh sees: large values make the path hard to integrate.
 * @param length of every text, where it is fixed.
 */
export function fakeModel(sharpness = 1, length: number | null = null): FakeModel {
  const tap = (id: string, kind: 'embedding' | 'output', shape: (number | null)[]) => {
    return { id, label: id, kind, operator: '', shape, spatial: false, differentiable: true }
  }
  const questions: Asked[] = []
  return {
    engine: { name: 'onnx', backend: 'test', version: '0', reason: '' },
    taps: [tap(TAP, 'embedding', [null, null, SIZE]), tap('logits', 'output', [null, CLASSES])],
    inputs: ['ids', 'mask'],
    inputInfo: ['ids', 'mask'].map((name) => ({ name, type: 'int64' as const, dims: [null, length] })),
    ruleSets: [],
    logits: 'logits',
    link: 'softmax',
    linkBasis: 'assumed',
    defaultTap: TAP,
    questions,
    linearHead: () => Promise.resolve(null),
    dispose: () => Promise.resolve(),
    ask(question, signal) {
      if (signal?.aborted === true) return Promise.reject(new AppError({ code: 'CANCELLED', message: 'aborted' }))
      return askWithLateWeights(question, ['ids', 'mask'], (plain) => {
        questions.push(plain)
        return Promise.resolve(answer(plain, sharpness))
      })
    },
  }
}

type Asked = PlainQuestion<FloatTensor | LateWeights>

function answer({ feeds, from, read, gradient }: Asked, sharpness: number): PlainAnswer {
  const ids = feeds?.['ids']
  const words: FloatTensor =
    from?.[TAP] ?? float32(Array.from(ids?.data ?? [], Number).flatMap(wordOf), [...(ids?.dims ?? []), SIZE])
  const [rows = 0, tokens = 0] = words.dims // [N, T, E]
  if (ids?.dims.join() !== `${rows},${tokens}` || feeds?.['mask']?.dims.join() !== `${rows},${tokens}`)
    throw new AppError({ code: 'BAD_INPUT', message: 'feeds do not have the shape of the words' })
  /** Padding counts as no word: a vector of zeros, of which nothing depends. */
  const masked = (place: number): boolean => Number(feeds['mask']?.data[place]) === 0
  const at = (row: number, token: number): number[] =>
    Array.from(words.data.subarray((row * tokens + token) * SIZE, (row * tokens + token + 1) * SIZE), (value) =>
      masked(row * tokens + token) ? 0 : value,
    )
  const logits = new Float32Array(rows * CLASSES)
  const slopes = new Float32Array(words.data.length)
  const seen = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: tokens }, (_unused, token) => at(row, token)),
  )
  const z = seen.map((row) => row.reduce((sum, word) => sum + dot(V, word), 0))
  seen.forEach((row, index) => {
    const first = row.reduce((sum, word) => sum + Math.tanh(sharpness * dot(U, word)), 0)
    logits.set([first, (z[index] ?? NaN) ** 2 / 2, 3], index * CLASSES)
  })
  const all: Record<string, FloatTensor> = { [TAP]: words, logits: float32(logits, [rows, CLASSES]) }
  const weights = gradient?.of['logits'] && weightsAmong(gradient.of['logits'], (id) => all[id] as FloatTensor)
  seen.forEach((row, index) => {
    const [w0 = 0, w1 = 0] = weights?.data.subarray(index * CLASSES) ?? []
    row.forEach((word, token) => {
      if (masked(index * tokens + token)) return
      const bend = sharpness * (1 - Math.tanh(sharpness * dot(U, word)) ** 2)
      for (let feature = 0; feature < SIZE; feature += 1)
        slopes[(index * tokens + token) * SIZE + feature] =
          w0 * bend * (U[feature] ?? 0) + w1 * (z[index] ?? NaN) * (V[feature] ?? 0)
    })
  })
  return {
    values: Object.fromEntries(read.flatMap((id) => (all[id] === undefined ? [] : [[id, all[id]]]))),
    gradients: gradient === undefined ? {} : { [TAP]: float32(slopes, words.dims) },
  }
}

export const PAD = 0
export const MASK = 103

/** An embedding, and nothing else, is needed. */
const AT_THE_EMBEDDING: AskedOf['of'] = {
  id: 'test',
  title: 'A test',
  modality: 'text',
  needs: [{ place: 'embedding' }],
}
const VOCABULARY = { size: 991, pad: PAD, mask: MASK, unknown: 100 }

export interface Changes extends Partial<Omit<RunParts, 'target'>> {
  readonly ids?: number[]
  /** A class; null for the predicted one. */
  readonly target?: number | null
  readonly vocabulary?: Vocabulary
  /** Who asks; it decides whether there is a place to ask at. */
  readonly of?: AskedOf['of']
}

/** A context around a fake model: special tokens at both ends. */
export function fakeContext(
  model: ExplainableModel,
  { ids = [101, 7, 12, 7, 3, 102], target = 0, vocabulary = VOCABULARY, of = AT_THE_EMBEDDING, ...parts }: Changes = {},
): TextContext {
  const facts: ModelFacts = {
    title: 'a fake model',
    modality: 'text',
    taps: model.taps,
    defaultTap: model.defaultTap,
    link: 'softmax',
    linearHeads: [],
    ruleSets: [],
    refusals: [],
  }
  const encoded = {
    ids,
    special: ids.map((_, index) => index === 0 || index === ids.length - 1),
    tokens: ids.map((_, index) => ({ text: 'x', start: 2 * index, end: 2 * index + 1 })),
  }
  const signal = new AbortController().signal
  return textContext(
    { model, facts, head: headOf(model, CLASSES) },
    'x '.repeat(ids.length),
    encoded,
    vocabulary,
    { of, params: {} },
    {
      target: classTarget(target),
      seed: 0,
      signal,
      progress: () => undefined,
      ...parts,
    },
  )
}
