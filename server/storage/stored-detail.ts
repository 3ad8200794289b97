/** What is stored beside the numbers of an attribution, as JSON in Result.detail. */
import type { Link } from '../../lib/engine/head.ts'
import type { Placement } from '../../lib/image/preprocess.ts'
import type { Completeness } from '../../lib/methods/method.ts'
import type { ScoredSpan } from '../../lib/explain.ts'

interface Detail {
  /** What made probabilities of the logits; left out: the softmax, as in every run of before this was stored. */
  readonly link?: Exclude<Link, 'softmax'>
}

export interface ImageDetail extends Detail {
  readonly kind: 'image'
  readonly width: number
  readonly height: number
  readonly signed: boolean
  readonly layer: string | null
  readonly placement: Placement
  /** Left out where the method states none, as in every run of before there were such methods. */
  readonly completeness?: Completeness
}

export interface TextDetail extends Detail {
  readonly kind: 'text'
  /** Their scores are the attribution's numbers, in this order. */
  readonly tokens: readonly Omit<ScoredSpan, 'score'>[]
  readonly words: readonly ScoredSpan[]
  readonly completeness: Completeness | null
}

export type StoredDetail = ImageDetail | TextDetail

export function linkIn({ link }: StoredDetail): Link {
  return link ?? 'softmax'
}
