import { expect, explainPhoto, explainReview, test } from './fixtures.ts'

test('a link shows the run to a stranger until it is revoked', async ({ page, request, stranger }) => {
  const id = await explainPhoto(request)
  await page.goto(`/runs/${id}`)
  await page.getByRole('button', { name: 'Share' }).click()
  const dialog = page.getByRole('dialog', { name: 'Share this run' })
  await dialog.getByLabel('Link expires').selectOption('never')
  await dialog.getByRole('button', { name: 'Create link' }).click()
  const link = await dialog.getByLabel('The new link').inputValue()
  expect(link).not.toContain(id)
  await expect(dialog.getByRole('note')).toContainText('opens here alone')

  const visitor = await stranger.newPage()
  await visitor.goto(link)
  await expect(visitor.getByRole('heading', { name: /Grad-CAM for/ })).toBeVisible()
  for (const picture of [visitor.getByTestId('map'), visitor.getByRole('img', { name: 'The explained picture' })])
    await expect
      .poll(() => picture.evaluate((image) => (image instanceof HTMLImageElement ? image.naturalWidth : 0)))
      .toBeGreaterThan(0)
  const addresses = await visitor
    .locator('main img, main a')
    .evaluateAll((elements) =>
      elements.map((element) => element.getAttribute('src') ?? element.getAttribute('href') ?? ''),
    )
  expect(addresses.length).toBeGreaterThan(3)
  expect(addresses.filter((address) => address.includes(id))).toEqual([])
  for (const name of ['Delete', 'Share', 'Draw a box']) {
    await expect(visitor.getByRole('button', { name })).toHaveCount(0)
  }

  await dialog.getByRole('button', { name: /^Revoke/ }).click()
  await expect(dialog.getByText(/^Revoked/)).toBeVisible()
  await visitor.reload()
  await expect(visitor.getByRole('heading', { name: 'This link does not work' })).toBeVisible()
  const overlay = addresses.find((address) => address.includes('overlay.png')) ?? ''
  expect((await request.get(overlay)).status()).toBe(404)
})

test('the new link can be copied', async ({ page, context, request }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const id = await explainReview(request, 'A film to share with everybody.')
  await page.goto(`/runs/${id}`)
  await expect(page.getByTestId('review-text')).toBeVisible()
  await page.keyboard.press('s')
  const dialog = page.getByRole('dialog', { name: 'Share this run' })
  await dialog.getByRole('button', { name: 'Create link' }).click()
  await dialog.getByRole('button', { name: 'Copy' }).click()
  await expect(dialog.getByText('Copied.')).toBeVisible()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(copied).toBe(await dialog.getByLabel('The new link').inputValue())
  await expect(dialog.getByText(/^Expires/)).toBeVisible()
})

test('an unknown link says so', async ({ page }) => {
  await page.goto('/shared/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
  await expect(page.getByRole('heading', { name: 'This link does not work' })).toBeVisible()
})
