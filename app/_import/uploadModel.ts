/** Sends the files of a model to the server. A request object rather than `fetch`, because only it reports how much has been sent. */

interface Upload {
  /** The import's id. Rejects with an error whose message is the sentence to show. */
  readonly done: Promise<string>
  readonly abort: () => void
}

function sentenceIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null
  if ('error' in body) return sentenceIn(body.error)
  return 'message' in body && typeof body.message === 'string' ? body.message : null
}

/** @param onProgress share sent, 0..1 */
export function uploadModel(files: readonly File[], onProgress: (fraction: number) => void): Upload {
  const request = new XMLHttpRequest()
  const form = new FormData()
  // of a folder, where in it the file lies
  for (const file of files)
    form.append('file', file, file.webkitRelativePath === '' ? file.name : file.webkitRelativePath)
  const done = new Promise<string>((resolve, reject) => {
    request.open('POST', '/api/imports')
    request.responseType = 'json'
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onload = () => {
      const body: unknown = request.response
      if (typeof body === 'object' && body !== null && 'importId' in body && typeof body.importId === 'string')
        resolve(body.importId)
      else reject(new Error(sentenceIn(body) ?? 'The server did not take these files.'))
    }
    request.onerror = () => {
      reject(new Error('Limelight’s server does not answer. Check that it is still running, then try again.'))
    }
    request.onabort = () => {
      reject(new Error('Sending was stopped.'))
    }
    request.send(form)
  })
  return {
    done,
    abort: () => {
      request.abort()
    },
  }
}
