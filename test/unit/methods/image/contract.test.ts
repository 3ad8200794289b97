/** The image methods of the product, each held to what holds for all. A new one is tested here by being in the list. */
import { expect, it } from 'vitest'
import { METHODS } from '../../../../lib/methods/index.ts'
import { methodFor } from '../../../../lib/methods/find.ts'
import type { ImageMethod } from '../../../../lib/methods/method.ts'
import { describeImageMethod } from './describe-image-method.ts'
import { PECULIAR } from './peculiar.ts'

const IMAGE_METHODS = METHODS.filter((method): method is ImageMethod => method.modality === 'image')

it('there are image methods', () => expect(IMAGE_METHODS.length).toBeGreaterThanOrEqual(2))

it.each(IMAGE_METHODS)('$id is found by its id, among those of its modality', (method) => {
  expect(methodFor(METHODS, 'image', method.id)).toBe(method)
  expect(methodFor(METHODS, 'text', method.id)).not.toBe(method)
})

IMAGE_METHODS.forEach((method) => describeImageMethod(method, PECULIAR[method.id]))
