/** What is stored beside the numbers of an attribution, as JSON in Result.detail. */
import type { Placement } from '../../lib/image/preprocess.ts'
import type { Completeness } from '../../lib/methods/method.ts'
import type { ScoredSpan } from '../../lib/explain.ts'

export interface ImageDetail {
  readonly kind: 'image'
  readonly width: number
  readonly height: number
  readonly signed: boolean
  readonly layer: string | null
  readonly placement: Placement
}

export interface TextDetail {
  readonly kind: 'text'
  /** Their scores are the attribution's numbers, in this order. */
  readonly tokens: readonly Omit<ScoredSpan, 'score'>[]
  readonly words: readonly ScoredSpan[]
  readonly completeness: Completeness | null
}

export type StoredDetail = ImageDetail | TextDetail
