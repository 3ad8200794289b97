/** What is known of a model without asking it anything: plain data, the same in server, worker and page. */
import type { Link } from '../engine/head.ts'
import type { ExplainableModel, Tap } from '../engine/model.ts'
import { PLAIN_RULES } from '../engine/read-rule-set.ts'
import type { Refusal } from '../engine/refusal.ts'
import type { TapId } from '../engine/tap-id.ts'
import type { ModelCard, Modality } from './card.ts'

export interface ModelFacts {
  /** What people call it. */
  readonly title: string
  readonly modality: Modality
  readonly taps: readonly Tap[]
  readonly defaultTap: TapId
  /** How the logits become probabilities. */
  readonly link: Link
  /** The taps behind which the logits are exactly linear(globalAveragePool(tap)). */
  readonly linearHeads: readonly TapId[]
  /** Ids of the backward rules that its engine can bend a gradient by. */
  readonly ruleSets: readonly string[]
  /** What these refuse, by tap; the plain rules' are the taps' own reasons. */
  readonly refusals: readonly Refusal[]
}

export async function factsOf(
  model: ExplainableModel,
  card: Pick<ModelCard, 'title' | 'preprocessing'>,
): Promise<ModelFacts> {
  const spatial = model.taps.filter((tap) => tap.spatial)
  const ruleSets = model.ruleSets.map((one) => one.id)
  const refusals = await Promise.all(
    ruleSets.filter((id) => id !== PLAIN_RULES.id).map((id) => model.refusals?.(id) ?? Promise.resolve([])),
  )
  const heads = await Promise.all(spatial.map((tap) => model.linearHead(tap.id)))
  return {
    title: card.title,
    modality: card.preprocessing.kind,
    taps: model.taps,
    defaultTap: model.defaultTap,
    link: model.link,
    linearHeads: spatial.filter((_, index) => heads[index] !== null).map((tap) => tap.id),
    ruleSets,
    refusals: refusals.flat(),
  }
}
