/** What a model's layers do over many inputs: each prepared, asked and forgotten before the next. */
import { AppError, throwIfCancelled } from './errors.ts'
import type { Tap } from './engine/model.ts'
import type { TapId } from './engine/tap-id.ts'
import type { LoadedModel } from './models/load.ts'
import { headOf, prepareImage, prepareText, type Asked, type ExplainInput } from './prepare.ts'
import { chooseTaps } from './statistics/choose-taps.ts'
import { Collector, type InputScore } from './statistics/collect.ts'
import type { TapOptions, TapStatistics } from './statistics/tap-statistics.ts'
import { checkTarget, targetFor } from './target/scalar.ts'
import type { Target } from './target/target.ts'

export interface StatisticsRequest extends TapOptions {
  /** Ids of taps. */
  readonly taps: readonly TapId[]
  readonly target: Target
  readonly signal: AbortSignal
  /** Share done, 0..1. */
  readonly progress: (fraction: number) => void
}

export interface NamedTap extends TapStatistics {
  readonly id: TapId
  /** As the exporter called it. */
  readonly label: string
  /** Why its channels have no contribution; null where they have. */
  readonly whyNoContribution: string | null
}

export interface NamedScore extends InputScore {
  /** Of the class; null where the target is about none in particular. */
  readonly label: string | null
}

export interface ActivationStatistics {
  /** In network order. */
  readonly taps: readonly NamedTap[]
  /** Of each input, in the order given. */
  readonly scores: readonly NamedScore[]
}

function whyNoContribution({ differentiable, reason }: Tap): string | null {
  return differentiable ? null : (reason ?? 'The output does not depend on it smoothly.')
}

/** Statistics are asked at any tap: preparing an input needs no place. */
function askedOf(modality: ExplainInput['kind']): Asked {
  return { of: { id: 'activation-statistics', title: 'Activation statistics', modality, needs: [] }, params: {} }
}

async function feedsFor(loaded: LoadedModel, input: ExplainInput, { target, signal, progress }: StatisticsRequest) {
  const { preprocessing, title } = loaded.entry.card
  const parts = { target, seed: 0, signal, progress }
  if (input.kind === 'image' && preprocessing.kind === 'image') {
    const { context } = await prepareImage(loaded, input.image, preprocessing, askedOf('image'), parts)
    return { feeds: context.feeds, length: 1 }
  }
  if (input.kind === 'text' && preprocessing.kind === 'text') {
    const { context } = await prepareText(loaded, input.text, preprocessing, askedOf('text'), parts)
    return { feeds: context.feeds, length: context.tokenIds.length }
  }
  throw new AppError({
    code: 'WRONG_MODALITY',
    message: `${title} reads ${preprocessing.kind === 'image' ? 'pictures' : 'text'}, and was given ${input.kind}.`,
  })
}

/**
 * @param inputs opened one after the other, when it is their turn
 * @throws AppError BAD_INPUT for no input, UNKNOWN_LAYER, UNKNOWN_LABEL, BAD_PARAMETER, WRONG_MODALITY, BAD_RESULT for
 *   activations or gradients that are not finite, CANCELLED
 */
export async function activationStatistics(
  loaded: LoadedModel,
  inputs: readonly (() => Promise<ExplainInput>)[],
  request: StatisticsRequest,
): Promise<ActivationStatistics> {
  const { model, entry } = loaded
  const { signal, progress, nearZero, bins } = request
  const head = headOf(model, entry.card.labels.length)
  const target = targetFor(request.target, head)
  checkTarget(target, head)
  const taps = chooseTaps(model.taps, request.taps)
  const collector = new Collector({ model, head, taps, target, nearZero, bins, signal })
  for (const [at, open] of inputs.entries()) {
    throwIfCancelled(signal)
    const { feeds, length } = await feedsFor(loaded, await open(), request)
    await collector.add(feeds, length, (fraction) => progress((at + fraction) / inputs.length))
  }
  const results = collector.result()
  return {
    taps: taps.flatMap((tap, at) => {
      const found = results[at]
      return found === undefined ? [] : [{ id: tap.id, label: tap.label, whyNoContribution: whyNoContribution(tap), ...found }] // prettier-ignore
    }),
    scores: collector.scores.map(({ index, scalar }) => ({
      index,
      label: index === null ? null : (entry.card.labels[index] ?? null),
      scalar,
    })),
  }
}
