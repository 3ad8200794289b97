/** Judging one attribution by one metric: the job behind an evaluation. Its rows are in services/evaluation-store.ts. */
import { z } from 'zod'
import { AppError } from '../../../lib/errors.ts'
import type { Evaluation } from '../../../lib/evaluate.ts'
import { methodFor } from '../../../lib/methods/find.ts'
import { marks } from '../../../lib/metrics/marks.ts'
import { CONTROLS, type Control } from '../../../lib/metrics/controls.ts'
import type { Curve, Metric } from '../../../lib/metrics/metric.ts'
import type { Interval } from '../../../lib/metrics/shared/statistics.ts'
import { idIn } from '../../../lib/models/model-ref.ts'
import { jobKind } from '../kind.ts'
import { explainPayload, inputFor, methodOf } from './explain.ts'
import { diagnosis, fieldsOf, floatTensor } from './shared-schemas.ts'

const payload = z.strictObject({
  /** The run that is judged: what was explained, of which model, by which method. */
  run: explainPayload,
  /** What it found: [H, W] or [T], raw and signed. */
  attribution: floatTensor,
  /** The version too: the numbers of another one would be stored under the wrong name. */
  metric: z.strictObject({ id: z.string(), version: z.int() }),
  /** Parsed by the metric's own schema. */
  params: z.unknown(),
  seed: z.int().min(0),
  randomControls: z.int().min(2),
  marks: marks.nullable(),
})
export type EvaluatePayload = z.infer<typeof payload>

export interface EvaluateOutcome {
  readonly evaluation: Evaluation
  /** Versions of the libraries that made the numbers. */
  readonly libraries: Readonly<Record<string, string>>
}

const interval = z.tuple([z.number(), z.number()]) as unknown as z.ZodType<Interval>
const curve = fieldsOf<Curve>({ share: z.array(z.number()), value: z.array(z.number()) })
const outcome = fieldsOf<EvaluateOutcome>({
  evaluation: fieldsOf<Evaluation>({
    value: z.number().nullable(),
    interval: interval.nullable(),
    curve: curve.nullable(),
    diagnoses: z.array(diagnosis),
    controls: z.array(
      fieldsOf<Control>({
        id: z.enum(CONTROLS),
        value: z.number().nullable(),
        interval: interval.nullable(),
        samples: z.int(),
        curve: curve.nullable(),
      }),
    ),
  }),
  libraries: z.record(z.string(), z.string()),
})

/** @throws AppError UNKNOWN_METHOD where this worker has none of this name, or computes other numbers under it */
function metricOf({ metric: asked, run }: EvaluatePayload, metrics: readonly Metric[]): Metric {
  const found = methodFor(metrics, run.input.kind, asked.id)
  if (found?.version === asked.version) return found
  throw new AppError({
    code: 'UNKNOWN_METHOD',
    message:
      found === null
        ? `There is no metric ${asked.id} for ${run.input.kind} attributions.`
        : `The metric ${asked.id} is at version ${found.version}, and this evaluation was asked for at version ${asked.version}. Ask again.`,
  })
}

export const evaluateKind = jobKind<EvaluatePayload, EvaluateOutcome>({
  id: 'evaluate',
  noun: 'evaluation',
  payload,
  outcome,
  uses: ({ run: { model, input } }) => (input.kind === 'image' ? [model, input.asset] : [model]),
  about: ({ run, metric }) => ({ model: idIn(run.model), method: run.method.id, metric: metric.id }),
  async handle(job, parts, { signal, progress }) {
    const [{ METHODS }, { METRICS }, { evaluate }, { libraryVersions }] = await Promise.all([
      import('../../../lib/methods/index.ts'),
      import('../../../lib/metrics/index.ts'),
      import('../../../lib/evaluate.ts'),
      import('../libraries.ts'),
    ])
    const by = { method: methodOf(job.run, METHODS), params: job.run.params }
    const metric = metricOf(job, METRICS)
    return parts.models.use(job.run.model, async (loaded) => {
      const evaluation = await evaluate(loaded, await inputFor(job.run, parts), {
        metric,
        params: job.params,
        attribution: job.attribution,
        by,
        marks: job.marks,
        randomControls: job.randomControls,
        target: job.run.target,
        seed: job.seed,
        signal,
        progress,
      })
      return { evaluation, libraries: libraryVersions(loaded.entry) }
    })
  },
})
