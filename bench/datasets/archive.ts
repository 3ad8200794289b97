/** Reads the research data's archives without unpacking them to disk: .tar and .tsv.xz / .jsonl.xz. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { extract } from 'tar-stream'
import xz from 'xz-decompress' // CommonJS: no named exports

export interface ArchiveFile {
  /** Path inside the archive. */
  readonly path: string
  readonly bytes: Buffer
}

/** The files of a tar archive whose path `wanted` accepts, one at a time, in the archive's order. */
export async function* readTar(path: string, wanted: (path: string) => boolean): AsyncGenerator<ArchiveFile> {
  const entries = createReadStream(path).pipe(extract())
  for await (const entry of entries) {
    if (entry.header.type === 'file' && wanted(entry.header.name)) {
      const chunks: Buffer[] = []
      for await (const chunk of entry) chunks.push(chunk as Buffer)
      yield { path: entry.header.name, bytes: Buffer.concat(chunks) }
    } else entry.resume()
  }
}

/** The lines of an xz-compressed UTF-8 text file. */
async function* readXzLines(path: string): AsyncGenerator<string> {
  const compressed = Readable.toWeb(createReadStream(path))
  const plain = new xz.XzReadableStream(compressed as unknown as globalThis.ReadableStream<Uint8Array>)
  const input = Readable.fromWeb(plain as unknown as ReadableStream)
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}

/** The rows of a tab-separated file with a header line; fields are never quoted. */
export async function* readTsvXz(path: string): AsyncGenerator<ReadonlyMap<string, string>> {
  let header: readonly string[] | null = null
  for await (const line of readXzLines(path)) {
    const fields = line.split('\t')
    if (header === null) header = fields
    else yield new Map(header.map((name, column) => [name, fields[column] ?? '']))
  }
}

/** The objects of a file with one JSON object a line. */
export async function* readJsonLinesXz(path: string): AsyncGenerator {
  for await (const line of readXzLines(path)) if (line !== '') yield JSON.parse(line)
}
