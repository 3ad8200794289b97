import { expect, explainPhoto, explainReview, test } from './fixtures.ts'

test('runs are listed newest first, found, filtered and deleted', async ({ page, request }) => {
  await explainPhoto(request)
  await explainReview(request, 'The zeppelin scene alone is worth the ticket.')
  const id = await explainReview(request, 'Even the xylophone solo could not save it.')
  await page.goto('/history')
  const rows = page.getByRole('list', { name: 'Runs' }).getByRole('listitem')
  await expect(rows.first()).toContainText('xylophone')
  await expect(rows.nth(1)).toContainText('zeppelin')

  await page.getByLabel('Kind of input').selectOption('Photos')
  await expect(rows.filter({ hasText: 'xylophone' })).toHaveCount(0)
  const thumbnail = rows.first().locator('img')
  await expect
    .poll(() => thumbnail.evaluate((image) => (image instanceof HTMLImageElement ? image.naturalWidth : 0)))
    .toBeGreaterThan(0)
  await page.getByLabel('Kind of input').selectOption('Any input')

  await page.keyboard.press('Escape')
  await page.locator('h1').click()
  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox')).toBeFocused()
  await page.keyboard.type('xylophone')
  await expect(page.getByText('One run', { exact: true })).toBeVisible()
  await expect(rows).toHaveCount(1)

  await rows
    .first()
    .getByRole('button', { name: /^Delete/ })
    .click()
  const dialog = page.getByRole('dialog', { name: 'Delete this run?' })
  await dialog.getByRole('button', { name: 'Keep it' }).click()
  await expect(rows).toHaveCount(1)
  await rows
    .first()
    .getByRole('button', { name: /^Delete/ })
    .click()
  await dialog.getByRole('button', { name: 'Delete the run' }).click()
  await expect(page.getByText('No run fits these filters.')).toBeVisible()
  await page.goto(`/runs/${id}`)
  await expect(page.getByRole('heading', { name: 'There is no such run' })).toBeVisible()
})

test('more runs than a page are loaded on request', async ({ page, request }) => {
  for (let run = 0; run < 22; run++) await explainReview(request, `Pagination, take ${String(run)}.`)
  await page.goto('/history')
  await page.getByRole('searchbox').fill('Pagination, take')
  await expect(page.getByText('22 runs')).toBeVisible()
  const rows = page.getByRole('list', { name: 'Runs' }).getByRole('listitem')
  await expect(rows).toHaveCount(20)
  await page.getByRole('button', { name: 'Load more' }).click()
  await expect(rows).toHaveCount(22)
  await expect(page.getByText('Pagination, take 0.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Load more' })).toHaveCount(0)
})

test('an empty history says what to do', async ({ page }) => {
  await page.route('**/graphql', async (route) => {
    const isHistory = route.request().postData()?.includes('query History') ?? false
    if (!isHistory) return route.fallback()
    const runs = {
      __typename: 'RunConnection',
      totalCount: 0,
      edges: [],
      pageInfo: { __typename: 'PageInfo', hasNextPage: false, endCursor: null },
    }
    return route.fulfill({ json: { data: { runs } } })
  })
  await page.goto('/history')
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible()
  await page.getByRole('link', { name: 'a review' }).click()
  await expect(page.getByRole('textbox', { name: 'Review' })).toBeVisible()
})

test('the run page shows how the result was made and opens it in the workbench', async ({ page, request }) => {
  const text = 'Marvellous, and not a minute too long.'
  const id = await explainReview(request, text, 'input-x-gradient')
  await page.goto(`/runs/${id}`)
  await expect(page.getByTestId('review-text')).toHaveText(text)
  const facts = page.getByRole('region', { name: 'How this was made' })
  await expect(facts).toContainText('reviews-minilm')
  await expect(facts).toContainText('computing')
  await page.getByRole('link', { name: 'Open in workbench' }).click()
  await expect(page.getByRole('textbox', { name: 'Review' })).toHaveValue(text)
  await expect(page.getByLabel('Method')).toHaveValue('input-x-gradient')
  await expect(page.getByTestId('review-text')).toHaveText(text)
  await page.getByRole('link', { name: 'Open run page' }).click()
  await expect(page).toHaveURL(new RegExp(id)) // the same question is the same run
})
