import type { ImageAttribution, TextAttribution } from '../_graphql/types.ts'
import { percent, signedValue } from './format.ts'

/** How well the scores of a method that promises it add up. For a list of notes. */
export function AddsUp({
  completeness: { sum, expected, error, points },
  explained,
}: {
  readonly completeness: NonNullable<(ImageAttribution | TextAttribution)['completeness']>
  /** In words, what the scores are shares of. */
  readonly explained: string
}) {
  return (
    <div>
      <dt>Completeness</dt>
      <dd>
        The scores add up to {signedValue(sum)}; {explained} moved by {signedValue(expected)} from the baseline. Error{' '}
        {percent(error)}, measured with {points} gradients or predictions.
      </dd>
    </div>
  )
}
