/** What server and worker say to each other. Sent with 'advanced' serialisation, so typed arrays stay what they are. */
import type { SerialisedAppError } from '../../lib/errors.ts'
import type { EngineInfo } from '../../lib/engine/model.ts'
import type { Explanation } from '../../lib/explain.ts'
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'
import type { ModelFacts } from '../../lib/models/facts.ts'
import type { Target } from '../../lib/target/target.ts'

/** What a loaded model can be asked; plain data. */
export interface ModelDescription {
  readonly engine: EngineInfo
  readonly facts: ModelFacts
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
  readonly target: Target
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
