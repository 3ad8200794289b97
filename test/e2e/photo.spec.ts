import { readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import sharp from 'sharp'
import { writeTeachableMachine } from '../helpers/keras-export.ts'
import { expect, firstSample, samplePath, samplePhotos, seriousViolations, test } from './fixtures.ts'

/** Width of the picture that an <img> really shows; 0 while it shows none. */
async function shownWidth(image: Locator): Promise<number> {
  return image.evaluate((element) =>
    element instanceof HTMLImageElement && element.complete ? element.naturalWidth : 0,
  )
}

async function explainSample(page: Page, model = 'pets-cnn'): Promise<Locator> {
  await page.goto('/')
  await page.getByLabel('Model', { exact: true }).selectOption(model)
  await page.getByRole('button', { name: `Explain the sample “${firstSample().title}”` }).click()
  const map = page.getByTestId('map')
  await expect.poll(() => shownWidth(map)).toBeGreaterThan(0)
  return map
}

async function dropFile(page: Page, path: string, name: string, type: string): Promise<void> {
  const base64 = readFileSync(path).toString('base64')
  const transfer = await page.evaluateHandle(
    ({ base64, name, type }) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([bytes], name, { type }))
      return transfer
    },
    { base64, name, type },
  )
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer })
}

test('every sample stands beside its source and its licence', async ({ page }) => {
  await page.goto('/photo')
  for (const sample of samplePhotos()) {
    const item = page.getByRole('listitem').filter({ hasText: sample.title })
    await expect(item).toContainText(sample.source)
    await expect(item).toContainText(sample.licence)
    await item.scrollIntoViewIfNeeded()
    await expect.poll(() => shownWidth(item.getByRole('img'))).toBeGreaterThan(0)
  }
})

test('a sample is explained with a map over it and bars that add up', async ({ page }) => {
  await explainSample(page)
  const bars = page.getByRole('list', { name: 'Predicted classes' }).getByRole('listitem')
  await expect(bars).toHaveCount(2)
  await expect(bars.filter({ hasText: 'explained' })).toHaveCount(1)
  await expect(page.getByText(/Grad-CAM for “(cat|dog)”, layer /)).toBeVisible()
  await expect(page).toHaveURL(/run=/)
})

test('of a thousand classes the first few are listed, and any is found by typing', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByLabel('Model', { exact: true })).toHaveValue('efficientnet-lite0')
  await explainSample(page, 'efficientnet-lite0')
  const list = page.getByRole('list', { name: 'Predicted classes' })
  await expect(list.getByRole('listitem')).toHaveCount(5)
  await expect(page.getByText(/^995 more classes share \d/)).toBeVisible()
  await expect(page.getByText('Grad-CAM for “German shepherd”, layer head_relu')).toBeVisible()

  const picker = page.getByRole('combobox', { name: 'Class to explain' })
  const options = page.getByRole('listbox', { name: 'Classes' }).getByRole('option')
  await picker.click()
  await expect(options.first()).toHaveText('The predicted class')
  await expect(page.getByText('950 more: type a part of the name.')).toBeVisible()
  expect(await seriousViolations(page)).toEqual([])
  await picker.fill('fence')
  await expect(options).toHaveText(['chainlink fence', 'picket fence', 'worm fence'])
  await picker.press('ArrowDown')
  await expect(page.getByRole('option', { name: 'picket fence', selected: true })).toBeVisible()
  await picker.press('Escape')
  await expect(options).toHaveCount(0)
  await expect(picker).toHaveValue('')
  await picker.fill('fence')
  await picker.press('ArrowDown')
  await picker.press('Enter')
  await expect(picker).toHaveValue('picket fence')
  await expect(page.getByText('Grad-CAM for “picket fence”, layer head_relu')).toBeVisible()
  await expect(list.getByRole('listitem')).toHaveCount(6)
  await expect(list.getByRole('button', { name: /picket fence/, pressed: true })).toBeVisible()

  // No reply says more of the thousand classes than is shown: five, and the one that is explained.
  const answered = page.waitForResponse((response) => response.request().postData()?.includes('query RunById') === true)
  await page.reload()
  expect((await (await answered).text()).match(/"logit":/g)).toHaveLength(6)
  await expect(picker).toHaveValue('picket fence')

  await picker.click()
  await options.first().click()
  await expect(picker).toHaveValue('')
  await expect(page.getByText('Grad-CAM for “German shepherd”, layer head_relu')).toBeVisible()
})

test('pointing at the picture, and the arrow keys on it, read the map', async ({ page }) => {
  await explainSample(page)
  const stage = page.getByRole('group', { name: /Picture with its map/ })
  await stage.hover({ position: { x: 4, y: 4 } })
  await expect(page.getByText(/Value .* at row 1, column 1 of 14 × 14/)).toBeVisible()
  await page.mouse.move(0, 0)
  await expect(page.getByText(/at row/)).toHaveCount(0)
  await stage.focus()
  await page.keyboard.press('ArrowRight')
  await expect(page.getByText(/Value .* at row \d+, column \d+ of 14 × 14/)).toBeVisible()
})

test('another class and another layer are explained at once', async ({ page }) => {
  const map = await explainSample(page)
  const before = await map.getAttribute('src')
  const other = page.getByRole('list', { name: 'Predicted classes' }).getByRole('button', { pressed: false })
  const label = (await other.innerText()).split('\n')[0]?.trim() ?? ''
  await other.click()
  await expect(page.getByText(`Grad-CAM for “${label}”, layer `)).toBeVisible()
  await expect(map).not.toHaveAttribute('src', before ?? '')
  await page.getByLabel('Layer').selectOption('conv_pw_6_relu')
  await expect(page.getByText(`Grad-CAM for “${label}”, layer conv_pw_6_relu`)).toBeVisible()
  await expect.poll(() => shownWidth(map)).toBeGreaterThan(0)
})

test('the next photo starts with the class the model predicts, and the history has its name', async ({ page }) => {
  await page.goto('/photo')
  await page.getByLabel('Model', { exact: true }).selectOption('pets-cnn')
  const input = page.getByTestId('file')
  const [first, second] = samplePhotos()
  if (!first || !second) throw new Error('two sample photos are needed')
  const chosen = page.getByLabel('Class to explain')
  await input.setInputFiles(samplePath(first))
  await page.getByRole('list', { name: 'Predicted classes' }).getByRole('button', { pressed: false }).click()
  await expect(chosen).not.toHaveValue('')
  await expect(page.getByText(/^The model says (\w+), .* for “(?!\1)/)).toBeVisible()
  const asked: string[] = []
  page.on('request', (request) => {
    const body = request.postData() ?? ''
    if (body.includes('mutation Explain')) asked.push(body)
  })
  await input.setInputFiles(samplePath(second))
  await expect(page.getByRole('heading', { name: second.file })).toBeVisible()
  await expect(chosen).toHaveValue('')
  await expect(page.getByText(/^The model says (\w+), .* for “\1”/)).toBeVisible()
  expect(asked).toHaveLength(1) // and nothing is asked about the photo before
  const { variables } = JSON.parse(asked[0] ?? '') as { variables: { input: object } }
  expect(variables.input).toMatchObject({ name: second.file })
  expect(variables.input).not.toHaveProperty('target')

  await page.goto('/history')
  const rows = page.getByRole('list', { name: 'Runs' }).getByRole('listitem')
  await expect(rows.first()).toContainText(second.file)
  await page.getByRole('searchbox').fill(second.file.toUpperCase())
  await expect(rows.filter({ hasText: second.file }).first()).toBeVisible()
  await expect(rows.filter({ hasText: first.file })).toHaveCount(0)
})

test('opacity, colours and the sign of the evidence change the view, not the run', async ({ page }) => {
  const map = await explainSample(page)
  const address = page.url()
  await page.getByRole('slider', { name: /Opacity/ }).fill('20')
  await expect(map).toHaveCSS('opacity', '0.2')
  await page.keyboard.press('m')
  await expect(map).toHaveCSS('opacity', '0')
  await page.keyboard.press(']')
  await expect(map).toHaveCSS('opacity', '0.3')

  const inferno = page.waitForResponse((response) => response.url().includes('colormap=inferno'))
  await page.getByLabel('Colours of the map').selectOption('inferno')
  expect((await inferno).headers()['content-type']).toBe('image/png')
  const raw = page.waitForResponse((response) => response.url().includes('rectify=false'))
  await page.getByText('For and against').click()
  expect((await raw).status()).toBe(200)
  await expect.poll(() => shownWidth(map)).toBeGreaterThan(0)
  expect(page.url()).toBe(address)
})

test('the map can be taken away as PNG and as numbers', async ({ page, request }) => {
  await explainSample(page)
  const png = await request.get((await page.getByRole('link', { name: 'PNG' }).getAttribute('href')) ?? '')
  expect((await png.body()).subarray(1, 4).toString()).toBe('PNG')
  const npy = await request.get((await page.getByRole('link', { name: '.npy' }).getAttribute('href')) ?? '')
  expect((await npy.body()).subarray(1, 6).toString()).toBe('NUMPY')
})

test('a photo dropped anywhere is shown from the file and explained; a reload finds it again', async ({ page }) => {
  await page.goto('/photo')
  await expect(page.getByRole('button', { name: 'Choose a photo' })).toBeVisible()
  await dropFile(page, samplePath(firstSample()), 'my dog.jpg', 'image/jpeg')
  await expect(page.getByRole('heading', { name: 'my dog.jpg' })).toBeVisible()
  const picture = page.getByRole('img', { name: 'The photo you chose' })
  await expect(picture).toHaveAttribute('src', /^blob:/)
  await expect.poll(() => shownWidth(page.getByTestId('map'))).toBeGreaterThan(0)
  await page.reload()
  await expect.poll(() => shownWidth(page.getByTestId('map'))).toBeGreaterThan(0)
  await expect(page.getByRole('list', { name: 'Predicted classes' })).toBeVisible()
})

test('a file that is no picture is refused with a sentence, and the next one works', async ({ page }) => {
  await page.goto('/photo')
  const input = page.getByTestId('file')
  await input.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture at all') })
  await expect(page.getByRole('alert').filter({ hasText: /picture|image/i })).toBeVisible()
  await expect(page.getByTestId('map')).toHaveCount(0)
  // A single pixel is a picture to the browser, and not shown as large as the page.
  const pixel = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  await input.setInputFiles({ name: 'pixel.png', mimeType: 'image/png', buffer: pixel })
  await expect(page.getByRole('alert').filter({ hasText: '1 × 1' })).toBeVisible()
  await expect(page.getByRole('img', { name: 'The photo you chose' })).toHaveCount(0)
  await input.setInputFiles(samplePath(firstSample()))
  await expect.poll(() => shownWidth(page.getByTestId('map'))).toBeGreaterThan(0)
  await expect(page.getByRole('alert').filter({ hasText: /picture|image/i })).toHaveCount(0)
})

test('when the server is gone the photo stays, and trying again works', async ({ page }) => {
  await page.goto('/photo')
  await expect(page.getByLabel('Method')).toBeVisible()
  await page.route('**/api/images', (route) => route.abort())
  await page.getByTestId('file').setInputFiles(samplePath(firstSample()))
  await expect(page.getByRole('alert').filter({ hasText: 'does not answer' })).toBeVisible()
  await expect.poll(() => shownWidth(page.getByRole('img', { name: 'The photo you chose' }))).toBeGreaterThan(0)
  await page.unroute('**/api/images')
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect.poll(() => shownWidth(page.getByTestId('map'))).toBeGreaterThan(0)
})

test('without a camera the dialog says so', async ({ page }) => {
  await page.goto('/photo')
  await page.getByRole('button', { name: 'Use the camera' }).click()
  const dialog = page.getByRole('dialog', { name: 'Take a photo' })
  await expect(dialog.getByRole('alert')).toContainText(/camera/i)
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
})

test('a Teachable Machine export in the models folder is there after a reload, and is explained', async ({
  page,
  server,
}) => {
  await page.goto('/photo')
  await expect(page.getByLabel('Model', { exact: true }).getByRole('option', { name: 'My cats' })).toHaveCount(0)
  await writeTeachableMachine(join(server.models, 'My cats'), 1)
  await mkdir(join(server.models, 'Broken'))
  try {
    await page.reload()
    await page.getByLabel('Model', { exact: true }).selectOption({ label: 'My cats' })
    await page.getByTestId('file').setInputFiles(samplePath(firstSample()))
    await expect(page.getByText(/Grad-CAM for “(Cat|Not cat)”, layer sequential_1\/model1\/out_relu/)).toBeVisible()
    await expect.poll(() => shownWidth(page.getByTestId('map'))).toBeGreaterThan(0)
    const engine = page.getByText(/^Computed by TensorFlow\.js [\d.]+ on \w+/)
    await engine.click()
    await expect(page.getByRole('list', { name: /^Why / })).toContainText('tensorflow')

    await page.goto('/models')
    await expect(page.getByRole('heading', { name: 'My cats' })).toBeVisible()
    await expect(page.getByRole('note')).toContainText('Broken is left out: it has neither')
  } finally {
    await rm(join(server.models, 'My cats'), { recursive: true })
    await rm(join(server.models, 'Broken'), { recursive: true })
  }
})

test('all layers are a strip of small maps, made when asked for; a click or Enter chooses one', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 900 })
  await explainSample(page)
  const strip = page.getByRole('list', { name: 'All layers, in network order' })
  await expect(strip).toHaveCount(0)
  await page.getByRole('button', { name: 'All layers' }).click()
  const tiles = strip.getByRole('button')
  await expect(tiles).toHaveCount(25)
  await expect(tiles.first()).toHaveAccessibleName('conv1_relu')
  const chosen = strip.getByRole('button', { pressed: true })
  await expect(chosen).toHaveAccessibleName('conv_pw_12_relu')
  await expect(chosen).toBeInViewport()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  const thumbnail = chosen.getByRole('presentation').last()
  await expect.poll(() => shownWidth(thumbnail)).toBe(192)
  expect(await seriousViolations(page)).toEqual([])

  await strip.getByRole('button', { name: 'conv_pw_6_relu' }).click()
  await expect(page.getByText(/Grad-CAM for “(cat|dog)”, layer conv_pw_6_relu/)).toBeVisible()
  await expect(chosen).toHaveAccessibleName('conv_pw_6_relu')
  await expect(page.getByLabel('Layer', { exact: true })).toHaveValue('conv_pw_6_relu')
  await chosen.press('ArrowLeft')
  await expect(strip.getByRole('button', { name: 'conv_dw_6_relu' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByText(/Grad-CAM for “(cat|dog)”, layer conv_dw_6_relu/)).toBeVisible()
  await page.keyboard.press('Home')
  await expect(tiles.first()).toBeFocused()

  // Another question has other maps: they are made when they are asked for again.
  await page.getByLabel('Method', { exact: true }).selectOption('hires-cam')
  await expect(page.getByText(/HiResCAM for /)).toBeVisible()
  await expect(strip).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'All layers' })).toBeVisible()
})
