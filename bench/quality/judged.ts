/** One explanation of one example, judged by the product's own metrics. */
import { AppError } from '../../lib/errors.ts'
import { evaluate, type Evaluation } from '../../lib/evaluate.ts'
import { explain } from '../../lib/explain.ts'
import { methodFor } from '../../lib/methods/find.ts'
import { METHODS } from '../../lib/methods/index.ts'
import type { Method } from '../../lib/methods/method.ts'
import { METRICS } from '../../lib/metrics/index.ts'
import type { Marks } from '../../lib/metrics/marks.ts'
import type { Metric } from '../../lib/metrics/metric.ts'
import type { Modality } from '../../lib/models/card.ts'
import type { LoadedModel } from '../../lib/models/load.ts'
import type { ExplainInput } from '../../lib/prepare.ts'
import { classTarget, type Target } from '../../lib/target/target.ts'
import { float32, type FloatTensor } from '../../lib/tensor/tensor.ts'
import type { Values } from './figures.ts'
import type { Asking } from './part.ts'

/** What is explained: an input and the class that people gave it. */
export interface Example {
  readonly input: ExplainInput
  readonly target: Target
}

/** @throws AppError BAD_INPUT for a label that the model lacks */
export function exampleOf({ entry }: LoadedModel, input: ExplainInput, label: string): Example {
  const index = entry.card.labels.indexOf(label)
  if (index >= 0) return { input, target: classTarget(index) }
  throw new AppError({ code: 'BAD_INPUT', message: `The data has the label "${label}", which ${entry.id} lacks.` })
}

const WATCH = { signal: new AbortController().signal, progress: () => undefined }

/** What a method says with its default parameters at its default layer: [H, W] or [T]. */
async function attributionOf(
  { loaded, seed }: Asking,
  { input, target }: Example,
  method: Method,
): Promise<FloatTensor> {
  const now = (): number => performance.now()
  const { attribution } = await explain(loaded, input, { method, params: {}, target, seed }, { ...WATCH, now })
  if (attribution.kind === 'image') return attribution.map
  return float32(
    Float32Array.from(attribution.tokens, ({ score }) => score),
    [attribution.tokens.length],
  )
}

export interface Question {
  readonly metric: Metric
  readonly params?: unknown
  readonly marks: Marks | null
}

function answers(
  { loaded, seed }: Asking,
  { input, target }: Example,
  questions: readonly Question[],
  of: { readonly attribution: FloatTensor; readonly method: Method; readonly randomControls: number },
): Promise<Evaluation[]> {
  const { attribution, method, randomControls } = of
  const asked = { attribution, by: { method, params: {} }, target, seed, randomControls, ...WATCH }
  return Promise.all(
    questions.map(({ metric, marks, params = {} }) => evaluate(loaded, input, { ...asked, metric, marks, params })),
  )
}

/** What metrics say of a method's explanation, in the order of the questions. */
export async function judgements(
  asking: Asking,
  example: Example,
  method: Method,
  questions: readonly Question[],
): Promise<readonly Evaluation[]> {
  const attribution = await attributionOf(asking, example, method)
  return answers(asking, example, questions, { attribution, method, randomControls: 0 })
}

/** What a metric has to say of an attribution. */
export type Judged = Pick<Evaluation, 'value'> | undefined

/** Seeds of the random control. */
const RANDOM_CONTROLS = 5

/**
 * What metrics say of an attribution that no method made, and of its controls, each in the order of the questions. They must be
 * metrics that do not ask the method again.
 */
export async function controlJudgements(
  asking: Asking,
  example: Example,
  attribution: FloatTensor,
  questions: readonly Question[],
): Promise<{ readonly own: readonly Judged[]; control(id: string): readonly Judged[] }> {
  // In whose name it is judged does not matter: any that the input alone suffices for.
  const method = METHODS.find((one) => one.modality === example.input.kind && one.family === 'gradient')
  if (method === undefined)
    throw new AppError({ code: 'INTERNAL', message: `no method explains ${example.input.kind}` })
  const own = await answers(asking, example, questions, { attribution, method, randomControls: RANDOM_CONTROLS })
  return { own, control: (id) => own.map(({ controls }) => controls.find((one) => one.id === id)) }
}

/** How alike an explanation stays to itself when a quarter of the layers, from the output on, half and all of them have random weights. */
export async function forgetting(asking: Asking, example: Example, method: Method): Promise<Values> {
  const metric = metricOf(method.modality, 'mprt')
  const [judged] = await judgements(asking, example, method, [{ metric, params: { steps: 4 }, marks: null }])
  const [quarter = null, half = null, , all = null] = judged?.curve?.value ?? []
  return { 'quarter-random': quarter, 'half-random': half, 'all-random': all }
}

/** @throws AppError INTERNAL where there is none */
export function metricOf(modality: Modality, id: string): Metric {
  const metric = methodFor(METRICS, modality, id)
  if (metric === null) throw new AppError({ code: 'INTERNAL', message: `there is no ${modality} metric ${id}` })
  return metric
}
