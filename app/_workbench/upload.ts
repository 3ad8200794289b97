/** Sends a picture to the server. A request object rather than `fetch`, because only it reports how much has been sent. */

export class UploadError extends Error {
  /** True where the same file may well go through the next time. */
  readonly transient: boolean

  constructor(message: string, transient: boolean) {
    super(message)
    this.transient = transient
  }
}

interface Upload {
  /** The asset's id. Rejects with an {@link UploadError} whose message is the sentence to show. */
  readonly done: Promise<string>
  readonly abort: () => void
}

function sentenceIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null
  if ('error' in body) return sentenceIn(body.error)
  return 'message' in body && typeof body.message === 'string' ? body.message : null
}

/** @param onProgress share sent, 0..1 */
export function uploadImage(file: Blob, onProgress: (fraction: number) => void): Upload {
  const request = new XMLHttpRequest()
  const done = new Promise<string>((resolve, reject) => {
    request.open('POST', '/api/images')
    request.responseType = 'json'
    // whether it is a picture, and of which kind, is for the server to find out from the bytes
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onload = () => {
      const body: unknown = request.response
      if (typeof body === 'object' && body !== null && 'assetId' in body && typeof body.assetId === 'string') {
        resolve(body.assetId)
      } else {
        reject(
          new UploadError(
            sentenceIn(body) ?? 'The server did not accept this picture. Try another one.',
            request.status >= 500,
          ),
        )
      }
    }
    request.onerror = () => {
      reject(
        new UploadError('Limelight’s server does not answer. Check that it is still running, then try again.', true),
      )
    }
    request.send(file)
  })
  return {
    done,
    abort: () => {
      request.abort()
    },
  }
}
