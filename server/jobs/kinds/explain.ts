/** Explaining one input: the job behind a run. Its rows are in services/run-store.ts. */
import { z } from 'zod'
import { AppError } from '../../../lib/errors.ts'
import { LINKS } from '../../../lib/engine/head.ts'
import type { EngineInfo } from '../../../lib/engine/model.ts'
import type { Explanation, FurtherMap, ImageExplanation, ScoredSpan, TextExplanation } from '../../../lib/explain.ts'
import type { Placement } from '../../../lib/image/preprocess.ts'
import { methodFor } from '../../../lib/methods/find.ts'
import type { Completeness, Method } from '../../../lib/methods/method.ts'
import { mapsAsked } from '../../../lib/methods/maps-asked.ts'
import type { SharedReads } from '../../../lib/methods/shared/shared-reads.ts'
import type { LoadedModel } from '../../../lib/models/load.ts'
import { idIn, modelRef, sha256 } from '../../../lib/models/model-ref.ts'
import type { ExplainInput } from '../../../lib/prepare.ts'
import type { Prediction } from '../../../lib/target/predictions.ts'
import { target } from '../../../lib/target/target.ts'
import { jobKind, type JobHooks, type WorkerParts } from '../kind.ts'
import { anyNumber, diagnosis, engineInfo, fieldsOf, floatTensor } from './shared-schemas.ts'

export const explainPayload = z.strictObject({
  model: modelRef,
  /** The version too: the numbers of another one would be stored under the wrong name. */
  method: z.strictObject({ id: z.string(), version: z.int() }),
  /** Parsed by the method's own schema. */
  params: z.unknown(),
  target,
  /** Where several were asked for. */
  maps: mapsAsked.exactOptional(),
  /** Asked in a comparison: what is read once is read as several methods read it together. */
  together: z.literal(true).exactOptional(),
  seed: z.int().min(0),
  input: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('image'), asset: sha256 }),
    z.strictObject({ kind: z.literal('text'), text: z.string() }),
  ]),
})
export type ExplainPayload = z.infer<typeof explainPayload>

export interface ExplainOutcome {
  readonly explanation: Explanation
  /** Milliseconds spent loading the model for this job; 0 when it was loaded. */
  readonly loadMs: number
  readonly engine: EngineInfo
  /** Versions of the libraries that made the numbers. */
  readonly libraries: Readonly<Record<string, string>>
}

const prediction = fieldsOf<Prediction>({
  index: z.int(),
  label: z.string(),
  logit: anyNumber,
  probability: anyNumber.nullable(),
})
const span = fieldsOf<ScoredSpan>({
  text: z.string(),
  start: z.int(),
  end: z.int(),
  score: z.number(),
  special: z.boolean(),
})
const completeness = fieldsOf<Completeness>({
  sum: anyNumber,
  expected: anyNumber,
  error: anyNumber,
  points: z.number(),
})
const attribution = z.discriminatedUnion('kind', [
  fieldsOf<ImageExplanation>({
    kind: z.literal('image'),
    map: floatTensor,
    width: z.int(),
    height: z.int(),
    signed: z.boolean(),
    layer: z.string().nullable(),
    placement: fieldsOf<Placement>({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
    completeness: completeness.nullable(),
  }),
  fieldsOf<TextExplanation>({
    kind: z.literal('text'),
    tokens: z.array(span),
    words: z.array(span),
    completeness: completeness.nullable(),
  }),
])
const explanation = fieldsOf<Explanation>({
  predictions: z.array(prediction).min(1),
  link: z.enum(LINKS),
  target: prediction.nullable(),
  scalar: anyNumber,
  attribution,
  diagnoses: z.array(diagnosis),
  further: z.array(fieldsOf<FurtherMap>({ attribution, diagnoses: z.array(diagnosis) })),
  timings: fieldsOf<Explanation['timings']>({ preprocessMs: z.number(), computeMs: z.number() }),
})
export const explainOutcome = fieldsOf<ExplainOutcome>({
  explanation,
  loadMs: z.number(),
  engine: engineInfo,
  libraries: z.record(z.string(), z.string()),
})

/** @throws AppError UNKNOWN_METHOD where this worker has none of this name, or computes other numbers under it */
export function methodOf({ method: asked, input }: ExplainPayload, methods: readonly Method[]): Method {
  const found = methodFor(methods, input.kind, asked.id)
  if (found?.version === asked.version) return found
  throw new AppError({
    code: 'UNKNOWN_METHOD',
    message:
      found === null
        ? `There is no method ${asked.id} for ${input.kind} models.`
        : `The method ${asked.id} is at version ${found.version}, and this run was asked for at version ${asked.version}. Ask again.`,
  })
}

export async function inputFor({ input }: ExplainPayload, { pictures }: WorkerParts): Promise<ExplainInput> {
  return input.kind === 'text' ? input : { kind: 'image', image: await pictures.decoded(input.asset) }
}

/**
 * Computes one, in the worker.
 * @param reads what the methods of a comparison read together
 */
export async function explained(
  job: ExplainPayload,
  methods: readonly Method[],
  input: ExplainInput,
  { loaded, loadMs }: { readonly loaded: LoadedModel; readonly loadMs: number },
  { signal, progress }: JobHooks,
  reads: SharedReads | null,
): Promise<ExplainOutcome> {
  const [{ explain }, { libraryVersions }] = await Promise.all([
    import('../../../lib/explain.ts'),
    import('../libraries.ts'),
  ])
  const { params, target, maps = null, seed } = job
  const request = { method: methodOf(job, methods), params, target, maps, seed, reads }
  const explanation = await explain(loaded, input, request, { signal, progress, now: () => performance.now() })
  return { explanation, loadMs, engine: loaded.model.engine, libraries: libraryVersions(loaded.entry) }
}

/** @param methods loaded where the job is done, not where it is asked for */
export const explainBy = (methods: () => Promise<readonly Method[]>) =>
  jobKind<ExplainPayload, ExplainOutcome>({
    id: 'explain',
    payload: explainPayload,
    outcome: explainOutcome,
    uses: ({ model, input }) => (input.kind === 'image' ? [model, input.asset] : [model]),
    about: ({ model, method }) => ({ model: idIn(model), method: method.id }),
    gaveUp: ({ model, method }, limitMs) => ({
      message: `a step of ${method.id} on ${model} was not done`,
      userMessage: `One step of this run took more than ${limitMs / 60_000} minutes, so it was given up. Does the model ${idIn(model)} compute for ever? Try a smaller input or another method.`,
    }),
    async handle(job, parts, hooks) {
      const known = await methods()
      methodOf(job, known)
      const { SharedReads } = await import('../../../lib/methods/shared/shared-reads.ts')
      const reads = job.together === true ? new SharedReads() : null
      return parts.models.use(job.model, async (loaded, loadMs) =>
        explained(job, known, await inputFor(job, parts), { loaded, loadMs }, hooks, reads),
      )
    },
  })

export const explainKind = explainBy(async () => (await import('../../../lib/methods/index.ts')).METHODS)
