import { ask, expect, explainPhoto, explainReview, test } from './fixtures.ts'

interface Stored {
  readonly run: {
    readonly annotations: readonly {
      readonly note: string
      readonly box: { x: number; y: number; width: number; height: number } | null
      readonly span: { start: number; end: number; text: string } | null
    }[]
  }
}
const STORED =
  'query ($id: ID!) { run(id: $id) { annotations { note box { x y width height } span { start end text } } } }'

test('a box drawn with the pointer is saved, shown over the picture and deleted', async ({ page, request }) => {
  const id = await explainPhoto(request)
  await page.goto(`/runs/${id}`)
  await page.getByRole('button', { name: 'Draw a box' }).click()
  const frame = await page.getByRole('group', { name: /Picture with its map/ }).boundingBox()
  if (!frame) throw new Error('the picture is not shown')
  await page.mouse.move(frame.x + frame.width * 0.2, frame.y + frame.height * 0.1)
  await page.mouse.down()
  await page.mouse.move(frame.x + frame.width * 0.5, frame.y + frame.height * 0.3, { steps: 4 })
  await page.mouse.move(frame.x + frame.width * 0.6, frame.y + frame.height * 0.5)
  await page.mouse.up()
  await expect(page.getByRole('textbox', { name: 'Note' })).toBeFocused()
  await page.keyboard.type('The face, by pointer')
  await page.getByRole('button', { name: 'Save annotation' }).click()
  const list = page.getByRole('list', { name: 'Annotations' })
  await expect(list.getByText('The face, by pointer')).toBeVisible()

  const [stored] = (await ask<Stored>(request, STORED, { id })).run.annotations
  expect(stored?.note).toBe('The face, by pointer')
  expect(stored?.box?.x).toBeCloseTo(0.2, 2)
  expect(stored?.box?.y).toBeCloseTo(0.1, 2)
  expect(stored?.box?.width).toBeCloseTo(0.4, 2)
  expect(stored?.box?.height).toBeCloseTo(0.4, 2)

  await page.reload()
  const box = await page.getByTestId('annotation-box').boundingBox()
  expect(box?.width).toBeCloseTo(frame.width * 0.4, -1)
  await list.getByRole('button', { name: /^Delete annotation 1/ }).click()
  await expect(list).toHaveCount(0)
  expect((await ask<Stored>(request, STORED, { id })).run.annotations).toEqual([])
})

test('a box can be drawn with the keyboard alone', async ({ page, request }) => {
  const id = await explainPhoto(request)
  await page.goto(`/runs/${id}`)
  await expect(page.getByTestId('map')).toBeVisible()
  await page.keyboard.press('a')
  await expect(page.getByRole('group', { name: /^New box/ })).toBeFocused()
  for (let press = 0; press < 5; press++) await page.keyboard.press('ArrowLeft')
  for (let press = 0; press < 5; press++) await page.keyboard.press('Shift+ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('textbox', { name: 'Note' })).toBeFocused()
  await page.keyboard.type('By keyboard')
  await page.keyboard.press('Control+Enter')
  await expect(page.getByRole('list', { name: 'Annotations' }).getByText('By keyboard')).toBeVisible()
  const { annotations } = (await ask<Stored>(request, STORED, { id })).run
  const box = annotations.find(({ note }) => note === 'By keyboard')?.box
  expect(box?.x).toBeCloseTo(0.25, 5)
  expect(box?.height).toBeCloseTo(0.4, 5)
})

test('selected words are annotated, counted in code points', async ({ page, request }) => {
  const text = 'Lovely 🎬 — “Amélie” is naïve but charming.'
  const id = await explainReview(request, text)
  await page.goto(`/runs/${id}`)
  const word = page.getByTestId('review-text').getByRole('option', { name: /^naïve/ })
  await word.dblclick()
  await expect(page.getByRole('form', { name: 'New annotation' })).toContainText('naïve')
  await page.getByRole('textbox', { name: 'Note' }).fill('Not meant badly')
  await page.getByRole('button', { name: 'Save annotation' }).click()
  await expect(page.getByRole('list', { name: 'Annotations' }).getByText('Not meant badly')).toBeVisible()
  const [stored] = (await ask<Stored>(request, STORED, { id })).run.annotations
  const start = Array.from(text.slice(0, text.indexOf('naïve'))).length
  expect(stored?.span).toMatchObject({ start, end: start + 5, text: 'naïve' })
})

test('words are marked with Shift and the arrow keys', async ({ page, request }) => {
  const id = await explainReview(request, 'The ending is rushed, yet moving.')
  await page.goto(`/runs/${id}`)
  await page
    .getByTestId('review-text')
    .getByRole('option', { name: /^ending/ })
    .focus()
  await page.keyboard.press('Shift+ArrowRight')
  await page.keyboard.press('Shift+ArrowRight')
  await page.keyboard.press('a')
  await expect(page.getByRole('textbox', { name: 'Note' })).toBeFocused()
  await page.keyboard.type('The weak part')
  await page.keyboard.press('Control+Enter')
  await expect(page.getByRole('list', { name: 'Annotations' })).toContainText('The weak part')
  const [stored] = (await ask<Stored>(request, STORED, { id })).run.annotations
  expect(stored?.span?.text).toBe('ending is rushed')
})

test('words are marked by dragging over them, even when the drag ends outside the text', async ({ page, request }) => {
  const id = await explainReview(request, 'I was not bored for one second of it.')
  await page.goto(`/runs/${id}`)
  const text = page.getByTestId('review-text')
  const first = await text.getByRole('option', { name: /^bored/ }).boundingBox()
  const last = await text.getByRole('option', { name: /^second/ }).boundingBox()
  if (!first || !last) throw new Error('the words are not shown')
  await page.mouse.move(first.x + 3, first.y + first.height / 2)
  await page.mouse.down()
  await page.mouse.move(last.x + last.width / 2, last.y + last.height / 2, { steps: 12 })
  await page.mouse.move(last.x + last.width / 2, last.y + 200)
  await page.mouse.up()
  await page.getByRole('textbox', { name: 'Note' }).fill('Praise')
  await page.getByRole('button', { name: 'Save annotation' }).click()
  await expect(page.getByRole('list', { name: 'Annotations' }).getByText('Praise')).toBeVisible()
  const [stored] = (await ask<Stored>(request, STORED, { id })).run.annotations
  expect(stored?.span).toEqual({ start: 10, end: 30, text: 'bored for one second' })
})
