/** Names for the parts of answers that the components pass around. */
import type {
  ColourMapsQuery,
  MethodPartsFragment,
  ModelChoicesQuery,
  ModelSetupQuery,
  RunPartsFragment,
  StripOfRunQuery,
} from './generated/graphql'

export type Run = RunPartsFragment
export type ModelChoice = ModelChoicesQuery['models'][number]
type ModelSetup = NonNullable<ModelSetupQuery['model']>
/** A model that could be loaded: none of its parts is null. */
export type Setup = { readonly [Part in keyof ModelSetup]: NonNullable<ModelSetup[Part]> }
export type ColourMap = ColourMapsQuery['colourMaps'][number]
export type MethodInfo = MethodPartsFragment
export type StripMap = NonNullable<StripOfRunQuery['run']>['maps'][number]
export type Annotation = Run['annotations'][number]
export type ImageAttribution = Extract<NonNullable<Run['attribution']>, { __typename: 'ImageAttribution' }>
export type TextAttribution = Extract<NonNullable<Run['attribution']>, { __typename: 'TextAttribution' }>
export type Span = TextAttribution['tokens'][number]
export type Box = NonNullable<Annotation['box']>

export function couldBeLoaded(model: ModelSetup): model is Setup {
  return Object.values(model).every((part) => part !== null)
}

/** True once nothing about the run will change any more. */
export function hasEnded(run: Pick<Run, 'status'>): boolean {
  return run.status === 'DONE' || run.status === 'FAILED' || run.status === 'CANCELLED'
}
