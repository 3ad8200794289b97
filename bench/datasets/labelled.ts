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
  /** Known size, for the progress bar. */
  readonly size: number
  examples(data: string): AsyncGenerator<Example>
}

const SENTIMENT = ['negative', 'positive']

async function* texts(path: string): AsyncGenerator<LabelledText> {
  for await (const row of readTsvXz(path)) {
    const label = SENTIMENT[Number(row.get('label'))]
    if (label === undefined) throw new Error(`${path}: a row has label ${row.get('label')}, expected 0 or 1`)
    yield { text: row.get('text') ?? '', label }
  }
}

export const CATS_DOGS_TEST: LabelledSet<LabelledImage> = {
  name: 'cats-dogs/test',
  size: 2000,
  async *examples(data) {
    const isTestImage = (path: string) => /(^|\/)test\/(cat|dog)\/[^/]+\.jpg$/.test(path)
    for await (const file of readTar(join(data, 'cats-dogs.tar'), isTestImage)) {
      yield { bytes: file.bytes, label: file.path.includes('/cat/') ? 'cat' : 'dog' }
    }
  },
}

export const IMDB_TEST: LabelledSet<LabelledText> = {
  name: 'imdb/test',
  size: 25000,
  examples: (data) => texts(join(data, 'imdb-test.tsv.xz')),
}

export const SST2_DEV: LabelledSet<LabelledText> = {
  name: 'sst2/dev',
  size: 872,
  examples: (data) => texts(join(data, 'sst2-dev.tsv.xz')),
}
