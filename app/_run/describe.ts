import type { Run } from '../_graphql/types.ts'
import { saidOf } from './format.ts'

/** Behind the method's name: which number of the model was explained. */
export function about({ explained, target }: Pick<Run, 'explained' | 'target'>): string {
  if (explained.kind === 'LOGIT') return target ? ` for “${target.label}”` : ''
  return ` of ${explained.title}`
}

/** The layer of the map that is shown; null where there is none. */
export function layerOf(run: Run | null): string | null {
  return run?.attribution?.__typename === 'ImageAttribution' ? run.attribution.layer : null
}

/** A result in one line: what the model says, and what is shown of it. */
export function describe(run: Run): string {
  const [predicted] = run.predictions
  const says = predicted ? `The model says ${predicted.label}, ${saidOf(predicted)}. ` : ''
  const layer = layerOf(run)
  return `${says}${run.method.title}${about(run)}${layer ? `, layer ${layer}` : ''}`
}
