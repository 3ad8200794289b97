/** Where a rule set finds no way from the logits back to a tap. */
import type { TapId } from './tap-id.ts'

/** Plain data: what is known of a model before anything is asked. */
export interface Refusal {
  /** Id of the rule set, with its default parameters and, where it needs one, a reference for the tap. */
  readonly rules: string
  /** The taps between which and the output the same is in the way. */
  readonly taps: readonly TapId[]
  /** "Softmax (LRP has no rule for it; at encoder/Softmax and 5 more)", each operator and reason once. */
  readonly operators: readonly string[]
}

/** The one sentence for it, of a question that was asked and of what is known before. */
export function whyRefused(operators: readonly string[], wrt: readonly TapId[]): string {
  return `No gradient rule for ${operators.join(', ')}, on the way from ${wrt.join(', ')} to the output. Choose a layer behind ${operators.length > 1 ? 'them' : 'it'}, or a method without gradients.`
}
