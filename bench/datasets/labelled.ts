/** The labelled test sets that the bundled models' figures are measured on. */
import { join } from 'node:path'
import { readTar, readTsvXz } from './archive.ts'

export interface LabelledImage {
  readonly bytes: Buffer
  readonly label: string
}
export interface LabelledText {
  readonly text: string
  readonly label: string
}

export interface LabelledSet<Example> {
  readonly name: string
  /** Its archive in the data folder. */
  readonly file: string
  /** Known size, for the progress bar. */
  readonly size: number
  /** Whether a model with these labels answers what the set asks. */
  suits(labels: readonly string[]): boolean
  examples(data: string): AsyncGenerator<Example>
}

const SENTIMENT = ['negative', 'positive']
const PETS = ['cat', 'dog']

/** Whether the labels are these, in any order. */
const are =
  (wanted: readonly string[]) =>
  (labels: readonly string[]): boolean =>
    labels.length === wanted.length && wanted.every((label) => labels.includes(label))

async function* texts(path: string): AsyncGenerator<LabelledText> {
  for await (const row of readTsvXz(path)) {
    const label = SENTIMENT[Number(row.get('label'))]
    if (label === undefined) throw new Error(`${path}: a row has label ${row.get('label')}, expected 0 or 1`)
    yield { text: row.get('text') ?? '', label }
  }
}

export const CATS_DOGS_TEST: LabelledSet<LabelledImage> = {
  name: 'cats-dogs/test',
  file: 'cats-dogs.tar',
  size: 2000,
  suits: are(PETS),
  async *examples(data) {
    const isTestImage = (path: string) => /(^|\/)test\/(cat|dog)\/[^/]+\.jpg$/.test(path)
    for await (const file of readTar(join(data, this.file), isTestImage)) {
      yield { bytes: file.bytes, label: file.path.includes('/cat/') ? 'cat' : 'dog' }
    }
  },
}

/** One validation-like photo of each of 50 of ImageNet's classes; a file is called after its class, `n01440764_tench.jpg`. */
export const IMAGENET_PHOTOS: LabelledSet<LabelledImage> = {
  name: 'imagenet/photos',
  file: 'photos.tar',
  size: 50,
  suits: (labels) => labels.length === 1000 && labels.includes('tench'),
  async *examples(data) {
    const named = /(^|\/)n\d{8}_([^/]+)\.jpg$/
    for await (const file of readTar(join(data, this.file), (path) => named.test(path))) {
      const label = named.exec(file.path)?.[2] ?? ''
      yield { bytes: file.bytes, label: label.replaceAll('_', ' ') }
    }
  },
}

export const IMDB_TEST: LabelledSet<LabelledText> = {
  name: 'imdb/test',
  file: 'imdb-test.tsv.xz',
  size: 25000,
  suits: are(SENTIMENT),
  examples(data) {
    return texts(join(data, this.file))
  },
}

export const SST2_DEV: LabelledSet<LabelledText> = {
  name: 'sst2/dev',
  file: 'sst2-dev.tsv.xz',
  size: 872,
  suits: are(SENTIMENT),
  examples(data) {
    return texts(join(data, this.file))
  },
}
