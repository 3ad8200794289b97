import type { Page } from '@playwright/test'
import { ask, expect, explainPhoto, explainReview, seriousViolations, test } from './fixtures.ts'

const CHECK = 'Check this explanation'

/** Asks the quick metrics and waits until none is open any more. */
async function check(page: Page, button = CHECK): Promise<void> {
  const first = page.getByRole('button', { name: button })
  await first.click()
  await expect(first).toHaveCount(0)
  await expect(page.getByRole('button', { name: /^Cancel/ })).toHaveCount(0)
}

test('a review is checked: each metric beside its controls, a curve, what they say together; all there again after a reload', async ({
  page,
  request,
}) => {
  const id = await explainReview(request, 'The plot is thin, but the two leads are a joy to watch.')
  await page.goto(`/runs/${id}`)
  await check(page)

  const table = page.getByRole('table', { name: 'Faithfulness metrics' })
  const row = table.getByRole('row', { name: /^Comprehensiveness/ })
  await expect(row).toContainText('higher is better')
  await expect(row).toContainText(/random −?[\d.e−]+ \(−?[\d.e−]+ to −?[\d.e−]+\), uniform −?[\d.e−]+/)
  await expect(row).toContainText(/(B|b)etter than random/)
  const together = page.getByRole('list', { name: 'What the metrics say together' })
  await expect(together).toContainText(/faithfulness metrics/)

  const point = page.getByRole('slider', { name: 'Point on the curve of Comprehensiveness' })
  await point.focus()
  await page.keyboard.press('Home')
  const first = await point.getAttribute('aria-valuetext')
  expect(first).toMatch(/^At [\d.]+ %: probability [\d.e−]+, random [\d.e−]+$/)
  await page.keyboard.press('ArrowRight')
  expect(await point.getAttribute('aria-valuetext')).not.toBe(first)

  await table.getByRole('button', { name: 'About Comprehensiveness' }).click()
  await expect(table.getByText('When it misleads')).toBeVisible()
  expect(await seriousViolations(page)).toEqual([])

  const found = await row.innerText()
  await page.reload()
  await expect(row).toBeVisible()
  expect(await row.innerText()).toBe(found)
  await expect(page.getByRole('button', { name: CHECK })).toHaveCount(0)
})

test('what needs a box says so, and is asked once one is drawn; a link shows it to read', async ({
  page,
  request,
  stranger,
}) => {
  // Of a method that no other test asks: what they draw on their run is not on this one.
  const id = await explainPhoto(request, 'hires-cam')
  await page.goto(`/runs/${id}`)
  await page.getByText('Choose metrics').click()
  const choice = page.getByRole('form', { name: 'Metrics to choose' })
  await expect(choice.getByRole('checkbox', { name: /^Energy inside/ })).toBeDisabled()
  await expect(choice.getByRole('checkbox', { name: /^Energy inside.*draw one/ })).toHaveCount(1)
  await choice.getByRole('checkbox', { name: /^Gini/ }).check()
  await choice.getByRole('button', { name: 'Ask 1 chosen' }).click()
  await expect(
    page.getByRole('table', { name: 'Complexity metrics' }).getByRole('row', { name: /^Gini/ }),
  ).toContainText('edges')

  await ask(request, 'mutation ($id: ID!, $a: AnnotationInput!) { annotate(runId: $id, annotation: $a) { id } }', {
    id,
    a: { note: 'The animal', box: { x: 0.2, y: 0.2, width: 0.6, height: 0.7 } },
  })
  await page.reload()
  await check(page, 'Compare with the drawn box')
  const table = page.getByRole('table', { name: 'Localisation metrics' })
  await expect(table.getByRole('row', { name: /^Energy inside/ })).toContainText(/random .*, uniform .*, edges/)
  await expect(table.getByRole('row', { name: /^Pointing game/ })).toContainText('one input cannot tell it from chance')
  await expect(page.getByTestId('curve').first()).toBeVisible()

  const { shareRun } = await ask<{ shareRun: { url: string } }>(
    request,
    'mutation ($id: ID!) { shareRun(runId: $id) { url } }',
    { id },
  )
  const visitor = await stranger.newPage()
  await visitor.goto(shareRun.url)
  await expect(visitor.getByRole('table', { name: 'Localisation metrics' })).toContainText('Energy inside')
  await expect(visitor.getByText('Choose metrics')).toHaveCount(0)
})

test('an evaluation that takes long is cancelled, and asked again', async ({ page, request }) => {
  const id = await explainPhoto(request)
  await page.goto(`/runs/${id}`)
  await page.getByText('Choose metrics').click()
  await page.getByRole('checkbox', { name: /^Smooth parameter randomisation/ }).check()
  await page.getByRole('button', { name: 'Ask 1 chosen' }).click()
  await page.getByRole('button', { name: 'Cancel Smooth parameter randomisation' }).click()
  await expect(page.getByText('Smooth parameter randomisation was cancelled')).toBeVisible()
  await page.getByRole('button', { name: 'Ask Smooth parameter randomisation again' }).click()
  await page.getByRole('button', { name: 'Cancel Smooth parameter randomisation' }).click()
  await expect(page.getByText('Smooth parameter randomisation was cancelled')).toBeVisible()
})

test('the workbench checks what it shows', async ({ page }) => {
  await page.goto('/review')
  await page.getByRole('textbox', { name: 'Review' }).fill('A film without a single honest moment.')
  await page.getByRole('button', { name: /^Explain/ }).click()
  await check(page)
  await expect(page.getByRole('table', { name: 'Faithfulness metrics' })).toBeVisible()
})
