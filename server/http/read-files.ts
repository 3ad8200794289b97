/** The files of a multipart form into a folder, never more bytes than the limit; their names are kept as data. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { IncomingMessage } from 'node:http'
import { Transform } from 'node:stream'
import type { FileInfo } from 'busboy'
import { AppError } from '../../lib/errors.ts'
import { isInnerPath } from '../../lib/hub/names.ts'

const MOST_FILES = 1000

/** What systems and tools put into folders beside what people put there. */
function isHidden(path: string): boolean {
  return path.split('/').some((part) => /^\.[^./]/.test(part) || part === '__MACOSX')
}

/** Counts the bytes of all files together. */
function counter(limit: number): () => Transform {
  let bytes = 0
  return () =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        if (bytes <= limit) done(null, chunk)
        else
          done(
            new AppError({
              code: 'BAD_INPUT',
              message: `The files have more than ${Math.round(limit / 1e6)} MB; at most that many are taken. Send the ONNX file, config.json and the tokenizer's or processor's files alone.`,
            }),
          )
      },
    })
}

/**
 * @param folder an empty one; files lie in it under numbers, so that no name that is sent becomes a path
 * @returns where each lies, by the path that was sent
 * @throws AppError BAD_INPUT
 */
export async function readFiles(
  request: IncomingMessage,
  folder: string,
  limit: number,
): Promise<ReadonlyMap<string, string>> {
  const { default: busboy } = await import('busboy')
  const paths = new Map<string, string>()
  const written: Promise<void>[] = []
  const counted = counter(limit)
  const bad = (message: string, cause?: unknown): AppError => new AppError({ code: 'BAD_INPUT', message, cause })
  await new Promise<void>((resolve, reject) => {
    const form = busboy({ headers: request.headers, preservePath: true, limits: { files: MOST_FILES } })
    const fail = (cause: unknown): void => {
      request.unpipe(form)
      request.resume() // read to its end, so that the answer is heard
      reject(
        cause instanceof AppError
          ? cause
          : bad('The form with the files is broken, or was not sent to its end.', cause),
      )
    }
    form.on('file', (_field, stream, { filename = '' }: Partial<FileInfo>) => {
      if (isHidden(filename)) {
        stream.resume()
        return
      }
      if (!isInnerPath(filename) || paths.has(filename)) {
        stream.resume()
        fail(
          bad(`The file ${JSON.stringify(filename)} has a name that leads out of its folder, or that another one has.`),
        )
        return
      }
      const target = join(folder, String(paths.size))
      paths.set(filename, target)
      const writing = pipeline(stream, counted(), createWriteStream(target))
      writing.catch(fail)
      written.push(writing)
    })
    form.on('filesLimit', () => fail(bad(`More than ${MOST_FILES} files were sent. Is it the folder of a model?`)))
    form.on('error', fail)
    form.on('close', () => resolve())
    request.on('error', fail)
    request.on('aborted', () => fail(bad('The files were not sent to their end.')))
    request.pipe(form)
  })
  await Promise.all(written)
  return paths
}
