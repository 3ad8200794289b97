import { expect, test } from 'vitest'
import { pictureUnits } from '../../../lib/image/units.ts'
import type { ImagePreprocessing } from '../../../lib/models/card.ts'
import { float32 } from '../../../lib/tensor/tensor.ts'

const CARD: ImagePreprocessing = {
  kind: 'image',
  width: 2,
  height: 1,
  resize: 'squash',
  layout: 'NCHW',
  mean: [10, 20, 30],
  std: [2, 4, 8],
  colour: 'RGB',
}
/** Red 12 and 14, green 24 and 28, blue 38 and 46, as the first, second and third channel. */
const FEED = float32([1, 2, 1, 2, 1, 2], [1, 3, 1, 2])

test('levels of a feed, red first whatever the model\u2019s order', () => {
  expect([...pictureUnits(CARD).levels(FEED)]).toEqual([12, 24, 38, 14, 28, 46])
  expect([...pictureUnits({ ...CARD, colour: 'BGR' }).levels(FEED)]).toEqual([38, 24, 12, 46, 28, 14])
})

test('levels of a grey feed are three times the same', () => {
  const grey = pictureUnits({ ...CARD, colour: 'L' })
  expect([...grey.levels(float32([1, 2], [1, 1, 1, 2]))]).toEqual([12, 12, 12, 14, 14, 14])
})

test('a colour in the feed\u2019s numbers has its levels', () => {
  for (const colour of ['RGB', 'BGR'] as const) {
    const units = pictureUnits({ ...CARD, colour })
    expect([...units.levels(units.colour([7, 99, 201]))]).toEqual([7, 99, 201, 7, 99, 201])
  }
})
