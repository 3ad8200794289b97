/**
 * Explaining one input by several methods that read together: one job behind several runs. Its rows are those runs
 * (services/comparison-store.ts); what one of them fails at is no concern of the others.
 */
import { z } from 'zod'
import { AppError, type ErrorCode, type SerialisedAppError } from '../../../lib/errors.ts'
import { idIn } from '../../../lib/models/model-ref.ts'
import { jobKind } from '../kind.ts'
import { explained, explainOutcome, explainPayload, inputFor, type ExplainOutcome } from './explain.ts'
import { fieldsOf, wordOf } from './shared-schemas.ts'

/** All of one model and one input. */
const payload = z
  .array(z.strictObject({ run: z.string(), question: explainPayload }))
  .min(1)
  .refine((all) => new Set(all.map(({ question }) => JSON.stringify([question.model, question.input]))).size === 1, {
    error: 'runs of several models or inputs',
  })
export type ComparePayload = z.infer<typeof payload>

/** Of one run: what was found, or why nothing was. */
export type Compared =
  | { readonly run: string; readonly found: ExplainOutcome }
  | { readonly run: string; readonly failed: SerialisedAppError }

const compared: z.ZodType<Compared> = z.union([
  z.strictObject({ run: z.string(), found: explainOutcome }),
  z.strictObject({
    run: z.string(),
    failed: fieldsOf<SerialisedAppError>({
      code: wordOf<ErrorCode>(),
      message: z.string(),
      userMessage: z.string(),
      details: z.record(z.string(), z.unknown()),
    }),
  }),
])

export const compareKind = jobKind<ComparePayload, readonly Compared[]>({
  id: 'compare',
  noun: 'comparison',
  payload,
  outcome: z.array(compared),
  uses: ([first]) => {
    if (first === undefined) return []
    const { model, input } = first.question
    return input.kind === 'image' ? [model, input.asset] : [model]
  },
  about: (all) => ({
    model: idIn(all[0]?.question.model ?? ''),
    methods: all.map(({ question }) => question.method.id).join(', '),
  }),
  async handle(all, parts, hooks) {
    const [{ METHODS }, { SharedReads }] = await Promise.all([
      import('../../../lib/methods/index.ts'),
      import('../../../lib/methods/shared/shared-reads.ts'),
    ])
    const [first] = all
    if (first === undefined) return []
    return parts.models.use(first.question.model, async (loaded, loadMs) => {
      const input = await inputFor(first.question, parts)
      const reads = new SharedReads()
      const outcomes: Compared[] = []
      for (const [done, { run, question }] of all.entries()) {
        const progress = (fraction: number): void => hooks.progress((done + fraction) / all.length)
        try {
          const at = { loaded, loadMs }
          outcomes.push({ run, found: await explained(question, METHODS, input, at, { ...hooks, progress }, reads) })
        } catch (thrown) {
          const error = AppError.from(thrown)
          if (error.code === 'CANCELLED') throw error
          if (error.code === 'INTERNAL' && thrown instanceof Error)
            process.stderr.write(`worker: ${thrown.stack ?? ''}\n`)
          outcomes.push({ run, failed: error.toJSON() })
        }
        progress(1)
      }
      return outcomes
    })
  },
})
