/** What server and worker say to each other. Sent with 'advanced' serialisation, so typed arrays stay what they are. */
import type { SerialisedAppError } from '../../lib/errors.ts'
import type { EngineInfo, Tap, TapId } from '../../lib/engine/model.ts'
import type { Explanation } from '../../lib/explain.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'

/** What a loaded model can be asked; plain data. */
export interface ModelDescription {
  readonly engine: EngineInfo
  readonly taps: readonly Tap[]
  readonly defaultTap: TapId
  /** The taps behind which the logits are exactly linear(globalAveragePool(tap)). */
  readonly linearHeads: readonly TapId[]
  /** Method id -> why it cannot run on this model; methods that can are not in it. */
  readonly unavailable: Readonly<Record<string, string>>
}

export type JobInput =
  /** `path` is the file of the original bytes. */
  { readonly kind: 'image'; readonly path: string } | { readonly kind: 'text'; readonly text: string }

/** Everything a worker needs to compute one run. */
export interface ExplainJob {
  readonly runId: string
  readonly model: CatalogueEntry
  readonly methodId: string
  readonly params: unknown
  /** null: the predicted class. */
  readonly targetIndex: number | null
  readonly seed: number
  readonly input: JobInput
}

export interface ExplainOutcome {
  readonly explanation: Explanation
  /** Milliseconds spent loading the model for this job; 0 when it was loaded. */
  readonly loadMs: number
  readonly engine: EngineInfo
  /** Versions of the libraries that made the numbers. */
  readonly libraries: Readonly<Record<string, string>>
}

export type ToWorker =
  | { readonly type: 'describe'; readonly id: number; readonly model: CatalogueEntry }
  | { readonly type: 'explain'; readonly id: number; readonly job: ExplainJob }
  | { readonly type: 'cancel'; readonly id: number }

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'described'; readonly id: number; readonly description: ModelDescription }
  | { readonly type: 'progress'; readonly id: number; readonly fraction: number }
  | { readonly type: 'explained'; readonly id: number; readonly outcome: ExplainOutcome }
  | { readonly type: 'failed'; readonly id: number; readonly error: SerialisedAppError }
