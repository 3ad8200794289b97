/** Names for the parts of answers that the components pass around. */
import type { ModelChoicesQuery, ModelSetupQuery, MethodPartsFragment, RunPartsFragment } from './generated/graphql'

export type Run = RunPartsFragment
export type ModelChoice = ModelChoicesQuery['models'][number]
export type Setup = NonNullable<ModelSetupQuery['model']>
export type Tap = Setup['taps'][number]
export type MethodInfo = MethodPartsFragment
export type Prediction = Run['predictions'][number]
export type Annotation = Run['annotations'][number]
export type ImageAttribution = Extract<NonNullable<Run['attribution']>, { __typename: 'ImageAttribution' }>
export type TextAttribution = Extract<NonNullable<Run['attribution']>, { __typename: 'TextAttribution' }>
export type Span = TextAttribution['tokens'][number]
export type Box = NonNullable<Annotation['box']>

/** True once nothing about the run will change any more. */
export function hasEnded(run: Pick<Run, 'status'>): boolean {
  return run.status === 'DONE' || run.status === 'FAILED' || run.status === 'CANCELLED'
}
