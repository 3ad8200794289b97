import type { Page } from '@playwright/test'
import { expect, explainPhoto, explainReview, seriousViolations, test } from './fixtures.ts'

const PAGES: readonly { path: string; ready: (page: Page) => ReturnType<Page['locator']> }[] = [
  { path: '/photo', ready: (page) => page.getByLabel('Method') },
  { path: '/review', ready: (page) => page.getByLabel('Method') },
  { path: '/history', ready: (page) => page.getByRole('list', { name: 'Runs' }).first() },
  { path: '/models', ready: (page) => page.getByRole('heading', { level: 2 }).first() },
  { path: '/methods', ready: (page) => page.getByRole('heading', { name: 'Grad-CAM', exact: true }) },
  { path: '/no-such-page', ready: (page) => page.getByRole('heading', { name: 'There is no such page' }) },
]

test('the line with the address is the last word of a start, the pages included', async ({ page, server }) => {
  await page.goto('/photo')
  await expect(page.getByLabel('Method')).toBeVisible()
  expect(server.said()).toBe(`Limelight is ready: ${server.origin}\n`)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no page has a serious accessibility violation (${colorScheme})`, async ({ page, request }) => {
    await page.emulateMedia({ colorScheme })
    const photo = await explainPhoto(request)
    const review = await explainReview(request, 'A superb film with a dull ending.', 'integrated-gradients')
    for (const { path, ready } of PAGES) {
      await page.goto(path)
      await expect(ready(page)).toBeVisible()
      expect(await seriousViolations(page), path).toEqual([])
    }
    await page.goto(`/runs/${photo}`)
    await expect(page.getByTestId('map')).toBeVisible()
    await page.getByRole('button', { name: 'Draw a box' }).click()
    expect(await seriousViolations(page), 'photo run').toEqual([])
    await page.goto(`/runs/${review}`)
    await expect(page.getByTestId('review-text')).toBeVisible()
    expect(await seriousViolations(page), 'review run').toEqual([])
    await page.getByRole('button', { name: 'Share' }).click()
    expect(await seriousViolations(page), 'share dialog').toEqual([])
  })
}

test('the shortcuts are listed and work', async ({ page }) => {
  await page.goto('/photo')
  await expect(page.getByLabel('Method')).toBeVisible()
  await page.keyboard.press('?')
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await expect(dialog.getByRole('button', { name: /Show or hide the map/ })).toBeDisabled()
  await expect(dialog.getByRole('button', { name: /Go to the history/ })).toBeEnabled()
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await page.keyboard.press('g')
  await page.keyboard.press('m')
  await expect(page).toHaveURL(/\/models$/)
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await expect(page).toHaveURL(/\/review$/)
  await page.getByRole('textbox', { name: 'Review' }).fill('')
  await page.keyboard.type('g m ?')
  await expect(page.getByRole('textbox', { name: 'Review' })).toHaveValue('g m ?')
})

test('models and methods say where they come from', async ({ page }) => {
  await page.goto('/models')
  const model = page.locator('#pets-cnn')
  await expect(model).toContainText(/\d+\.\d+ %/)
  await expect(model).toContainText('npm run evaluate')
  await page.goto('/methods')
  const index = page.getByRole('navigation', { name: 'Methods for reviews' })
  await index.getByRole('link', { name: 'Attention rollout' }).click()
  await expect(page.locator('#text-attention-rollout')).toBeInViewport()
  const cited = page.locator('#image-grad-cam').getByRole('link', { name: /Grad-CAM: Visual Explanations/ })
  await expect(cited).toHaveAttribute('href', /arxiv\.org/)
})

for (const width of [390, 1024]) {
  test(`nothing is wider than a screen of ${String(width)} pixels`, async ({ page, request }) => {
    await page.setViewportSize({ width, height: 844 })
    const photo = await explainPhoto(request)
    const review = await explainReview(request, 'A superb film with a dull ending.', 'integrated-gradients')
    for (const path of ['/photo', '/review', '/history', '/models', '/methods', `/runs/${photo}`, `/runs/${review}`]) {
      await page.goto(path)
      await expect(page.locator('main h1').first()).toBeVisible()
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(overflow, path).toBeLessThanOrEqual(0)
    }
  })
}
