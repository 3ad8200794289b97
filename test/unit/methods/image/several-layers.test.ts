/** The layer strip: what a CAM reads once is read of several layers and for several classes in one question, map by map. */
import { expect, it } from 'vitest'
import { METHODS } from '../../../../lib/methods/index.ts'
import type { ImageMethod } from '../../../../lib/methods/method.ts'
import { mapsOver } from '../../../helpers/several.ts'
import { classTarget } from '../../../../lib/target/target.ts'
import { imageContext, runImageMethod } from '../../../helpers/image-context.ts'
import { TinyCnn } from '../../../helpers/tiny-cnn.ts'

/** Finer-CAM has to know its contrast first; its own test reads that at several layers. */
const READ_ONCE = METHODS.filter(
  (method): method is ImageMethod =>
    method.modality === 'image' &&
    method.reading !== undefined &&
    method.needs[0]?.place === 'spatial-tap' &&
    method.id !== 'finer-cam',
)

it('there are such methods', () => {
  expect(READ_ONCE.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['grad-cam', 'grad-cam-plus-plus', 'xgrad-cam', 'eigen-cam', 'eigen-grad-cam']),
  )
})

it.each(READ_ONCE)('$id at three layers for two classes is one question, and the same maps', async (method) => {
  const model = new TinyCnn()
  const params = method.params.parse({})
  const context = await imageContext(model, { of: method, params })
  const taps = ['conv1', 'pool1', 'relu2'].flatMap((id) => model.taps.find((tap) => tap.id === id) ?? [])
  const targets = [classTarget(2), classTarget(0)]
  const { maps, logits } = await mapsOver(method, context, taps, targets, params)
  expect(model.asked).toHaveLength(1)
  for (const { id } of taps)
    for (const [at, index] of [2, 0].entries()) {
      const alone = await runImageMethod(method, new TinyCnn(), { index, params: { layer: id } })
      expect(maps.get(id)?.[at]).toEqual(alone.map)
      for (const one of logits) expect(one).toEqual(alone.logits)
    }
})
