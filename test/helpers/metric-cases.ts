/**
 * A picture and a text with closed-form models and attributions, for metrics: tests judge them, and
 * bench/conformance/metrics.ts writes their numbers down for bench/conformance/metrics.py.
 *
 * Picture: x [3, 6, 6]; logit k = sum_i w[k, i] tanh(x_i) + 0.05 (sum_i v[k, i] x_i)^2, of K = 3 classes. Its attribution for
 * class k is sum over channels of w[k] tanh(x): exact for the first part.
 * Text: the model of test/unit/methods/text/fake-model.ts; token t scores tanh(<u, x_t>) for class 0 and
 * <v, x_t> for others, times 1 + 0.1 sum_t <v, x_t>.
 */
import { askWithLateWeights } from '../../lib/engine/literal-formulas.ts'
import type { ExplainableModel } from '../../lib/engine/model.ts'
import type { ImageContext, TextContext } from '../../lib/methods/context.ts'
import type {
  ImageJudged,
  ImageMetric,
  JudgedImage,
  JudgedText,
  TextJudged,
  TextMetric,
} from '../../lib/metrics/metric.ts'
import { classOf } from '../../lib/target/scalar.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import { dot, fakeContext, fakeModel, U, V, wordOf } from '../unit/methods/text/fake-model.ts'
import { imageContext } from './image-context.ts'

export const SIDE = 6
const AREA = SIDE * SIDE
const VALUES = 3 * AREA
const CLASSES = 3
const EXPLAINED = 0

const wave = (size: number, step: number, phase: number, scale = 1): number[] =>
  Array.from({ length: size }, (_, at) => Math.fround(scale * Math.sin(step * at + phase)))
export const PICTURE = wave(VALUES, 1.3, 0.5)
export const W = Array.from({ length: CLASSES }, (_, k) => wave(VALUES, 0.7 + 0.1 * k, k, 0.3))
export const V_PICTURE = Array.from({ length: CLASSES }, (_, k) => wave(VALUES, 2.9, 1 + k, 0.4))

/** One picture's logits, [K]. */
function logitsOf(x: ArrayLike<number>): number[] {
  return W.map((weights, k) => {
    const linear = weights.reduce((sum, weight, at) => sum + weight * Math.tanh(x[at] ?? NaN), 0)
    const bent = (V_PICTURE[k] ?? []).reduce((sum, weight, at) => sum + weight * (x[at] ?? NaN), 0)
    return linear + 0.05 * bent ** 2
  })
}

function pictureModel(): ExplainableModel {
  const tap = (id: string, kind: 'input' | 'output', shape: (number | null)[]) => {
    return { id, label: id, kind, operator: '', shape, spatial: false, differentiable: true }
  }
  return {
    engine: { name: 'onnx', backend: 'test', version: '0', reason: '' },
    taps: [tap('input', 'input', [null, 3, SIDE, SIDE]), tap('logits', 'output', [null, CLASSES])],
    inputs: ['input'],
    ruleSets: [],
    logits: 'logits',
    link: 'softmax',
    linkBasis: 'assumed',
    defaultTap: 'input',
    linearHead: () => Promise.resolve(null),
    dispose: () => Promise.resolve(),
    ask: (question) =>
      askWithLateWeights(question, ['input'], ({ feeds }) => {
        const [rows = 0] = feeds?.['input']?.dims ?? []
        const data = Array.from(feeds?.['input']?.data ?? [], Number)
        const logits = Array.from({ length: rows }, (_, row) => logitsOf(data.slice(row * VALUES, (row + 1) * VALUES)))
        return Promise.resolve({ values: { logits: float32(logits.flat(), [rows, CLASSES]) }, gradients: {} })
      }),
  }
}

/** What the picture's method says of a class, [6, 6]. */
export function pictureAttribution(picture: ArrayLike<number>, index = EXPLAINED): FloatTensor {
  const weights = W[index] ?? []
  const cells = Array.from({ length: AREA }, (_, pixel) =>
    [0, 1, 2].reduce((sum, channel) => {
      const at = channel * AREA + pixel
      return sum + (weights[at] ?? NaN) * Math.tanh(picture[at] ?? NaN)
    }, 0),
  )
  return float32(cells, [SIDE, SIDE])
}

/** Pixels that a person marked: rows 2 to 4, columns 1 to 3. */
export const INSIDE = Uint8Array.from({ length: AREA }, (_, at) => {
  const [y, x] = [Math.floor(at / SIDE), at % SIDE]
  return y >= 2 && y <= 4 && x >= 1 && x <= 3 ? 1 : 0
})

/** Stands for random weights: what a method says is mixed with itself, read backwards and bent. */
function forgotten({ data, dims }: FloatTensor, share: number): FloatTensor {
  return float32(
    data.map((value, at) => (1 - share) * value + share * (data.at(-1 - at) ?? NaN) * (1 + value)),
    dims,
  )
}

const MAP = { kind: 'map', signed: true, complete: false } as const
const TOKENS = { kind: 'tokens', signed: true, complete: false } as const

export async function judgedImage(metric: ImageMetric, changes: Partial<ImageJudged> = {}): Promise<JudgedImage> {
  const feeds = { input: float32(PICTURE, [1, 3, SIDE, SIDE]) }
  const asked = { of: metric, params: {} }
  const context: ImageContext = await imageContext(pictureModel(), asked, { feeds, index: EXPLAINED })
  const again: ImageJudged['again'] = ({ picture, target }) =>
    Promise.resolve(pictureAttribution(picture.data, classOf(target, []) ?? EXPLAINED))
  return {
    ...context,
    attribution: pictureAttribution(PICTURE),
    again,
    randomised: (share, work) => work(async (other) => forgotten(await again(other), share)),
    output: MAP,
    layer: null,
    marked: { kind: 'pixels', height: SIDE, width: SIDE, inside: INSIDE },
    ...changes,
  }
}

/** Special tokens at both ends. */
export const IDS = [101, 28, 27, 8, 3, 36, 25, 22, 18, 17, 37, 102]
/** What a person marked: positions of tokens. */
export const SPANS = [[3, 4], [9]]

function textAttribution(ids: readonly number[], index = EXPLAINED): FloatTensor {
  const around = 1 + 0.1 * ids.reduce((sum, id) => sum + dot(V, wordOf(id)), 0)
  const scores = ids.map((id) => around * (index === 0 ? Math.tanh(dot(U, wordOf(id))) : dot(V, wordOf(id))))
  return float32(scores, [ids.length])
}

export function judgedText(metric: TextMetric, changes: Partial<TextJudged> = {}): JudgedText {
  const context: TextContext = fakeContext(fakeModel(), { ids: IDS, target: EXPLAINED, of: metric })
  const marked = new Set(SPANS.flat())
  const again: TextJudged['again'] = ({ tokenIds, target }) =>
    Promise.resolve(textAttribution(tokenIds, classOf(target, []) ?? EXPLAINED))
  return {
    ...context,
    attribution: textAttribution(IDS),
    again,
    randomised: (share, work) => work(async (other) => forgotten(await again(other), share)),
    output: TOKENS,
    layer: null,
    marked: { kind: 'tokens', inside: IDS.map((_, at) => marked.has(at)), spans: SPANS },
    ...changes,
  }
}
