import type { Locator, Page } from '@playwright/test'
import { expect, test } from './fixtures.ts'

const REVIEW = 'A superb film 🎬👩‍👩‍👧 — “Amélie” is naïve, fresh…\n\n  but the ending\tfelt dull, dull, DULL.'

async function explain(page: Page, text: string): Promise<void> {
  await page.goto('/review')
  await page.getByRole('textbox', { name: 'Review' }).fill(text)
  await page.getByRole('button', { name: /^Explain/ }).click()
  await expect(page.getByTestId('review-text')).toBeVisible({ timeout: 60_000 })
}

/** The words or tokens of the text, and not those of a select box. */
function pieces(page: Page): Locator {
  return page.getByTestId('review-text')
}

/** The text as it is read off the page, with nothing added or lost. */
async function shownText(page: Page): Promise<string> {
  return page.getByTestId('review-text').evaluate((element) => element.textContent)
}

test('the review stands there exactly as typed, in words and in tokens', async ({ page }) => {
  await explain(page, REVIEW)
  expect(await shownText(page)).toBe(REVIEW)
  const words = await pieces(page).getByRole('option').allInnerTexts()
  expect(words).toContain('superb')
  expect(words.filter((word) => word.toLowerCase() === 'dull')).toHaveLength(3)
  await page.getByText('Tokens', { exact: true }).click()
  await expect(page.getByRole('listbox', { name: /in tokens/ })).toBeVisible()
  expect(await shownText(page)).toBe(REVIEW)
  expect(await pieces(page).getByRole('option').count()).toBeGreaterThanOrEqual(words.length)
})

test('the next review starts with the class the model predicts; the same one keeps the class chosen for it', async ({
  page,
}) => {
  await explain(page, 'A superb film, fresh and funny.')
  const chosen = page.getByLabel('Class to explain')
  await chosen.selectOption('negative')
  await expect(page.getByText(/^The model says .* for “negative”/)).toBeVisible()
  await page.getByRole('button', { name: /^Explain/ }).click()
  await expect(chosen).toHaveValue('negative')
  await page.getByRole('textbox', { name: 'Review' }).fill('Another superb film, warm and clever.')
  await page.getByRole('button', { name: /^Explain/ }).click()
  await expect(page.getByText(/^The model says .* for “positive”/)).toBeVisible()
  await expect(chosen).toHaveValue('')
})

test('another number of the class is explained, and stays chosen after a reload', async ({ page }) => {
  await explain(page, 'A superb film, fresh and funny.')
  await expect(page.getByText(/the logit of positive moved by/)).toBeVisible()
  await page.getByLabel('Number to explain').selectOption({ label: "Its score less another class's" })
  await expect(page.getByText(/the logit of positive less the mean of the others moved by/)).toBeVisible()
  await page.getByLabel('Compared with').selectOption('negative')
  await expect(page.getByText(/the logit of positive less that of negative moved by/)).toBeVisible()
  await expect(page).toHaveURL(/run=/)
  await page.reload()
  await expect(page.getByLabel('Compared with')).toHaveValue('negative')
  await expect(page.getByText(/the logit of positive less that of negative moved by/)).toBeVisible()
  await page.getByLabel('Number to explain').selectOption({ label: 'Its probability' })
  await expect(page.getByText(/the probability of positive moved by/)).toBeVisible()
})

test('scores are read by pointing and with the arrow keys', async ({ page }) => {
  await explain(page, REVIEW)
  const readout = page.getByTestId('score-readout')
  await pieces(page)
    .getByRole('option', { name: /^superb: / })
    .hover()
  await expect(readout).toHaveText(/superb.*[+−]\d/)
  await page.mouse.move(0, 0)
  await pieces(page).getByRole('option').first().focus()
  await page.keyboard.press('ArrowRight')
  await expect(pieces(page).getByRole('option', { name: /^superb: / })).toBeFocused()
  await expect(readout).toHaveText(/superb/)
  await page.keyboard.press('End')
  await expect(pieces(page).getByRole('option').last()).toBeFocused()
})

test('what helps one class hurts the other', async ({ page }) => {
  await explain(page, 'A superb film.')
  const superb = pieces(page).getByRole('option', { name: /^superb: / })
  const background = await superb.evaluate((element) => getComputedStyle(element).backgroundColor)
  const name = (await superb.getAttribute('aria-label')) ?? ''
  await page.getByRole('list', { name: 'Predicted classes' }).getByRole('button', { pressed: false }).click()
  await expect(superb).not.toHaveAttribute('aria-label', name)
  const after = (await superb.getAttribute('aria-label')) ?? ''
  expect(name.includes('+')).not.toBe(after.includes('+'))
  expect(await superb.evaluate((element) => getComputedStyle(element).backgroundColor)).not.toBe(background)
})

test('special tokens stand apart, and the completeness error is shown', async ({ page }) => {
  await explain(page, 'Two hours I will not get back.')
  await expect(page.getByRole('term').filter({ hasText: 'Special tokens' })).toBeVisible()
  await expect(page.getByText('[CLS]', { exact: true })).toBeVisible()
  await expect(page.getByText(/The scores add up to .*Error .*%, measured with \d+ gradients/)).toBeVisible()
  expect(await shownText(page)).not.toContain('[CLS]')
})

test('what the model did not read is greyed, not dropped', async ({ page }) => {
  const long = Array.from({ length: 900 }, (_, word) => `word${String(word)} and more`).join(' ')
  await page.goto('/review')
  await expect(page.getByLabel('Method')).toBeVisible()
  await page.getByLabel('Method').selectOption('gradient-norm')
  await page.getByRole('textbox', { name: 'Review' }).fill(long)
  await page.keyboard.press('Control+Enter')
  await expect(page.getByTestId('review-text')).toBeVisible({ timeout: 60_000 })
  expect(await shownText(page)).toBe(long)
  const unread = await page.locator('[data-unread]').allInnerTexts()
  expect(unread.join('').length).toBeGreaterThan(1000)
  await expect(page.getByRole('note').filter({ hasText: /token/i })).toBeVisible()
})

test('an empty review is answered with a sentence', async ({ page }) => {
  await page.goto('/review')
  await page.getByRole('button', { name: /^Explain/ }).click()
  await expect(page.locator('main').getByRole('alert')).toContainText(/text|review/i)
})

test('a sample review is explained by one click', async ({ page }) => {
  await page.goto('/review')
  await page.getByRole('button', { name: /^Clearly negative/ }).click()
  await expect(page.getByTestId('review-text')).toBeVisible({ timeout: 60_000 })
  const typed = await page.getByRole('textbox', { name: 'Review' }).inputValue()
  expect(await shownText(page)).toBe(typed)
  await expect(page.getByText('Integrated gradients for “negative”')).toBeVisible()
})

test('a long run says what it does and can be cancelled; the review stays', async ({ page }) => {
  await page.goto('/review')
  await page.getByText('Parameters').click()
  await page.getByLabel('Steps', { exact: true }).first().selectOption({ label: 'a number' })
  await page.getByRole('spinbutton', { name: 'Steps' }).fill('1000')
  await page.keyboard.press('Enter')
  const text = 'A slow, quiet film that I enjoyed more than I expected to. '.repeat(8)
  await page.getByRole('textbox', { name: 'Review' }).fill(text)
  await page.getByRole('button', { name: /^Explain/ }).click()
  await expect(page.getByRole('status').filter({ hasText: 'Integrated gradients' })).toBeVisible()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('The run was cancelled.')).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'Review' })).toHaveValue(text)
})
