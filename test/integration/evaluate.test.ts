import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import sharp from 'sharp'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `npm run evaluate -- ...`, without npm. */
function evaluate(args: readonly string[], data: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bin/evaluate.ts', ...args], {
      env: { ...process.env, LIMELIGHT_DATA: data },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

let data = ''
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'limelight-evaluate-'))
  const cat = await readFile('public/samples/chelsea.jpg')
  const archive = pack()
  const file = createWriteStream(join(data, 'cats-dogs.tar'))
  archive.pipe(file)
  // The same cat under both labels: exactly one of the two test pictures can be right. The one for training is not read.
  archive.entry({ name: 'test/cat/1.jpg' }, cat)
  archive.entry({ name: 'test/dog/1.jpg' }, cat)
  archive.entry({ name: 'train/cat/1.jpg' }, Buffer.from('not a picture'))
  archive.finalize()
  await finished(file)
  const photos = pack()
  const photosFile = createWriteStream(join(data, 'photos.tar'))
  photos.pipe(photosFile)
  // German shepherd is the first answer for the dog; tabby is third for Chelsea, water tower far down.
  photos.entry({ name: 'imagenet/n02106662_German_shepherd.jpg' }, await readFile('public/samples/german-shepherd.jpg'))
  photos.entry({ name: 'imagenet/n02123045_tabby.jpg' }, cat)
  photos.entry({ name: 'imagenet/n04562935_water_tower.jpg' }, cat)
  photos.entry({ name: 'both.png' }, Buffer.from('not a picture'))
  photos.finalize()
  await finished(photosFile)
  const pets = pack()
  const petsFile = createWriteStream(join(data, 'pets-masks.tar'))
  pets.pipe(petsFile)
  // The left half of the cat's picture is marked, all of the dog's.
  const trimap = (values: readonly number[]) =>
    sharp(Uint8Array.from(values), { raw: { width: 2, height: 1, channels: 1 } })
      .png()
      .toBuffer()
  pets.entry({ name: 'Bengal_2.jpg' }, cat)
  pets.entry({ name: 'Bengal_2.mask.png' }, await trimap([1, 2]))
  pets.entry({ name: 'american_bulldog_4.jpg' }, await readFile('public/samples/german-shepherd.jpg'))
  pets.entry({ name: 'american_bulldog_4.mask.png' }, await trimap([1, 1]))
  pets.finalize()
  await finished(petsFile)
  await writeFile(join(data, 'README.md'), 'made by a test')
})
afterAll(() => rm(data, { recursive: true }))

describe('npm run evaluate', () => {
  test('prints one JSON line a data set, counted on the test pictures alone', async () => {
    const { code, stdout } = await evaluate(['pets-cnn'], data)
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'pets-cnn',
      dataset: 'cats-dogs/test',
      n: 2,
      correct: 1,
      accuracy: 0.5,
      engine: 'onnx',
    })
  })

  test('of a model with many classes it says how often the label is among the first five', async () => {
    const { code, stdout } = await evaluate(['efficientnet-lite0'], data)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ dataset: 'imagenet/photos', n: 3, correct: 1, top5: 2 / 3 })
  })

  test('a data set whose archive is not there is skipped, with a sentence', async () => {
    const { code, stdout, stderr } = await evaluate(['reviews-minilm'], data)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain('sst2/dev is skipped: there is no sst2-dev.tsv.xz in')
    expect(stderr).toMatch(/evaluate: Nothing in .* measures reviews-minilm/)
  })

  test('an unknown model is answered with the ones there are', async () => {
    const { code, stderr } = await evaluate(['no-such-model'], data)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^evaluate: Name a model to evaluate: .*pets-cnn.*reviews-minilm/)
  })

  test('without the data it says what to set', async () => {
    const { code, stderr } = await evaluate(['pets-cnn'], join(data, 'nowhere'))
    expect(code).toBe(1)
    expect(stderr).toContain('Set LIMELIGHT_DATA')
  })
})

describe('npm run evaluate -- quality', () => {
  const lines = ({ stdout }: Ended): readonly unknown[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown)

  test('prints a line a method and control, keeps them, and measures none twice', async () => {
    const out = join(data, 'quality.jsonl')
    const args = ['quality', 'pets', '--out', out, '--methods', 'controls,grad-cam']
    const first = lines(await evaluate(args, data))
    expect(first).toMatchObject([
      { method: 'centre', version: null, n: 2 },
      { method: 'edges' },
      { method: 'random' },
      // Half of one picture and all of the other.
      { method: 'uniform', figures: { energy: { mean: 0.75, interval: [0.5, 1], n: 2 } } },
      { part: 'pets', model: 'pets-cnn', method: 'grad-cam', version: 1, n: 2, seed: 0 },
    ])
    const kept = await readFile(out, 'utf8')
    expect(lines({ code: 0, stdout: kept, stderr: '' })).toEqual(first)

    const again = await evaluate([...args.slice(0, -1), 'controls,grad-cam,cam'], data)
    expect(lines(again)).toMatchObject([{ method: 'cam' }])
    expect(await readFile(out, 'utf8')).toBe(kept + again.stdout)
  })

  test('a part that is not there is answered with those there are', async () => {
    const { code, stderr } = await evaluate(['quality', 'dogs'], data)
    expect(code).toBe(1)
    expect(stderr).toContain('The parts of quality are pets, rationales, edits')
  })

  test('a part whose archive is not there is skipped, with a sentence', async () => {
    const { code, stderr } = await evaluate(['quality', 'edits'], data)
    expect(code).toBe(1)
    expect(stderr).toContain('edits is skipped: there is no counterfactual-pairs.jsonl.xz in')
  })
})
