/** The bytes of an upload, raw or as the first file of a multipart form, never more than the limit. */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { AppError } from '../../lib/errors.ts'

function tooLarge(limit: number): AppError {
  return new AppError({
    code: 'IMAGE_TOO_LARGE',
    message: `The file has more than ${limit / 1e6} MB; at most ${limit / 1e6} MB are accepted. Make the picture smaller and try again.`,
    details: { limit },
  })
}

/** Reads to the end, so that the client can read our answer, but keeps no more than the limit. */
async function collect(stream: Readable, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= limit) chunks.push(chunk)
    else chunks.length = 0
  }
  if (size > limit) throw tooLarge(limit)
  return Buffer.concat(chunks)
}

async function firstFile(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const { default: busboy } = await import('busboy')
  return new Promise((resolve, reject) => {
    const none = new AppError({
      code: 'BAD_INPUT',
      message: 'The form holds no file. Send the picture as a file field.',
    })
    const broken = (cause: unknown): void => {
      reject(new AppError({ code: 'BAD_INPUT', message: 'The multipart form is broken. Send it again.', cause }))
    }
    let file: Promise<Uint8Array> | null = null
    try {
      const form = busboy({ headers: request.headers, limits: { files: 1 } })
      form.on('file', (_name, stream) => {
        file = collect(stream, limit)
        file.catch(() => undefined) // answered below, once the form has been read
      })
      form.on('error', broken)
      form.on('close', () => {
        if (file === null) reject(none)
        else file.then(resolve, reject)
      })
      request.on('error', broken)
      request.pipe(form)
    } catch (cause) {
      broken(cause)
    }
  })
}

const RAW = /^(image\/[\w.+-]+|application\/octet-stream)\s*(;|$)/i

/** @throws AppError IMAGE_TOO_LARGE, BAD_INPUT */
export async function readUpload(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const type = request.headers['content-type'] ?? ''
  if (/^multipart\/form-data\s*;/i.test(type)) return firstFile(request, limit)
  if (RAW.test(type)) return collect(request, limit)
  request.resume()
  throw new AppError({
    code: 'BAD_INPUT',
    message: `Content-Type is "${type}". Send the bytes of a picture as image/* or application/octet-stream, or a form as multipart/form-data.`,
  })
}
