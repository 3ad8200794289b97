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
export async function attributionOf(
  loaded: LoadedModel,
  { input, target }: Example,
  method: Method,
  seed: number,
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
  readonly marks?: Marks
  /** Seeds of the random control; none for no controls. */
  readonly randomControls?: number
}

export function judge(
  loaded: LoadedModel,
  { input, target }: Example,
  attribution: FloatTensor,
  { method, seed }: { readonly method: Method; readonly seed: number },
  { metric, params = {}, marks, randomControls = 0 }: Question,
): Promise<Evaluation> {
  const by = { method, params: {} }
  const asked = { metric, params, attribution, by, target, seed, randomControls, ...WATCH }
  return evaluate(loaded, input, { ...asked, ...(marks === undefined ? {} : { marks }) })
}

/** @throws AppError INTERNAL where there is none */
export function metricOf(modality: Modality, id: string): Metric {
  const metric = methodFor(METRICS, modality, id)
  if (metric === null) throw new AppError({ code: 'INTERNAL', message: `there is no ${modality} metric ${id}` })
  return metric
}

/** In whose name an attribution is judged that no method made: of a metric that does not ask it again. */
export function anyMethod(modality: Modality): Method {
  const method = METHODS.find((one) => one.modality === modality && one.family === 'gradient')
  if (method === undefined) throw new AppError({ code: 'INTERNAL', message: `there is no ${modality} method` })
  return method
}
