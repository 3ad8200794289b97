/** Whether a method can run at the layer asked for. */
import { expect, test } from 'vitest'
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import type { CatalogueEntry } from '../../../lib/models/catalogue.ts'
import { checkMethod } from '../../../server/services/check-method.ts'
import { TinyCnn } from '../../helpers/tiny-cnn.ts'

test('a layer without a gradient: its reason is one sentence among others', () => {
  const { engine, taps, defaultTap } = new TinyCnn({
    undifferentiable: { conv1: 'The output does not depend on it smoothly.' },
  })
  const model = { id: 'tiny', card: { title: 'Tiny' } } as CatalogueEntry
  const description = { engine, taps, defaultTap, linearHeads: [], unavailable: {} }
  expect(() => {
    checkMethod(gradCam, { layer: 'conv1' }, model, description)
  }).toThrow(/"conv1": The output does not depend on it smoothly\. Layers Grad-CAM can use/)
})
