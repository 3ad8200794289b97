import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { teachableMachineCard } from '../../../lib/models/teachable-machine.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limelight-tm-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function exported(name: string, metadata: unknown): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  await writeFile(join(folder, 'metadata.json'), typeof metadata === 'string' ? metadata : JSON.stringify(metadata))
  return folder
}

it('reads labels and preprocessing: the middle square, values / 127.5 - 1', async () => {
  const folder = await exported('Cats (2)', {
    tfjsVersion: '1.7.4',
    tmVersion: '2.4.14',
    packageName: '@teachablemachine/image',
    modelName: 'tm-my-image-model',
    labels: ['Cat', 'Not cat'],
    imageSize: 224,
    userMetadata: {},
  })
  expect(await teachableMachineCard(folder)).toMatchObject({
    id: 'cats-2',
    title: 'Cats (2)',
    labels: ['Cat', 'Not cat'],
    files: { tfjs: 'model.json' },
    defaultTap: '',
    preprocessing: {
      kind: 'image',
      width: 224,
      height: 224,
      resize: 'crop',
      cropFraction: 1,
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      colour: 'RGB',
    },
  })
})

it('keeps the name that somebody gave the model', async () => {
  const folder = await exported('named', { labels: ['Cat', 'Dog'], modelName: 'Pets of our street' })
  expect(await teachableMachineCard(folder)).toMatchObject({ id: 'named', title: 'Pets of our street' })
})

it.each(['@Daivin', '@microsoft/visionIa', 'my-product'])(
  'takes an image model whose product calls its package %s',
  async (packageName) => {
    const folder = await exported(`by ${packageName.replaceAll('/', ' ')}`, { labels: ['Cat', 'Dog'], packageName, imageSize: 96 })
    expect(await teachableMachineCard(folder)).toMatchObject({
      labels: ['Cat', 'Dog'],
      preprocessing: { width: 96, height: 96 },
      provenance: { recipe: `Teachable Machine unknown (${packageName})` },
    })
  },
)

it.each([
  ['no labels', { imageSize: 224 }],
  ['one label', { labels: ['Cat'] }],
  ['a greyscale model', { labels: ['Cat', 'Dog'], grayscale: true }],
  ['a pose model', { labels: ['Up', 'Down'], packageName: '@teachablemachine/pose' }],
  ['a renamed pose model', { labels: ['Up', 'Down'], packageName: '@yoga', modelSettings: { posenet: { inputResolution: 257 } } }],
  ['not JSON', '{'],
])('refuses %s', async (name, metadata) => {
  const folder = await exported(name, metadata)
  await expect(teachableMachineCard(folder)).rejects.toMatchObject({ code: 'BAD_MODEL' })
})

it('says what to do when metadata.json is missing', async () => {
  await expect(teachableMachineCard(join(root, 'nowhere'))).rejects.toMatchObject({
    code: 'BAD_MODEL',
    userMessage: expect.stringContaining('Export the image model again') as string,
  })
})
