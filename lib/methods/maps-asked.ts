/** Several maps asked of one run, as data: stored with the run and sent to a worker. */
import { z } from 'zod'
import { target } from '../target/target.ts'

/** A map for each layer and target: by layer, then by target. */
export const mapsAsked = z.strictObject({
  /** Tap ids; null: the one layer that the parameters name. */
  layers: z.array(z.string()).min(1).nullable(),
  targets: z.array(target).min(1),
})
export type MapsAsked = Readonly<z.infer<typeof mapsAsked>>

/** As the row of a run holds them. */
export function storedMaps(stored: string): MapsAsked {
  return mapsAsked.parse(JSON.parse(stored))
}

export function mapCount({ layers, targets }: MapsAsked): number {
  return (layers?.length ?? 1) * targets.length
}

/** Which layer and target a map of the run is of. @param at its place among them, from 0 */
export function askedAt({ layers, targets }: MapsAsked, at: number) {
  return {
    layer: layers?.[Math.floor(at / targets.length)] ?? null,
    target: targets[at % targets.length] ?? null,
  }
}
