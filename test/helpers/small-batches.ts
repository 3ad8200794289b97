import type { ExplainableModel } from '../../lib/engine/model.ts'

const MAP_BYTES = 3 * 4 * 3

/** A model that says its pictures are so large that only so few fit a batch of 256 MiB; it answers as it did. */
export function inBatchesOf<Model extends ExplainableModel>(rows: number, model: Model): Model {
  const side = Math.floor(Math.sqrt((256 * 2 ** 20) / MAP_BYTES / rows))
  const taps = model.taps.map((tap) => ({ ...tap, shape: [null, 3, side, side] }))
  return Object.create(model, { taps: { value: taps } }) as Model
}
