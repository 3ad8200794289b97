import type { Tap } from '../../lib/engine/model.ts'
import type { TapId } from '../../lib/engine/tap-id.ts'
import type { ImageContext } from '../../lib/methods/context.ts'
import type { ImageMethod } from '../../lib/methods/method.ts'
import { readLayersAndTargets, readingOf } from '../../lib/methods/shared/vary.ts'
import type { Target } from '../../lib/target/target.ts'
import type { FloatTensor } from '../../lib/tensor/tensor.ts'

/** More rows than any test asks for, so that one question has room for all. */
const ROOM = 64

/** The maps of a method that reads once, by layer, in the order of the targets. */
export async function mapsOver(
  method: ImageMethod,
  context: ImageContext,
  taps: readonly Tap[],
  targets: readonly Target[],
  params: unknown,
): Promise<{ readonly maps: ReadonlyMap<TapId, readonly FloatTensor[]>; readonly logits: readonly FloatTensor[] }> {
  const read = (one: ImageContext) => readingOf(method, one, params)
  const found = await readLayersAndTargets(context, taps, targets, ROOM, read)
  return {
    maps: new Map([...found].map(([id, rows]) => [id, rows.map(({ outputs }) => read(context).attribution(outputs))])),
    logits: [...found.values()].flat().map(({ logits }) => logits),
  }
}
