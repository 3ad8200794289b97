/** Sends a body to the server. A request object rather than `fetch`, because only it reports how much has been sent. */

export class SendError extends Error {
  /** True where the same body may well go through the next time. */
  readonly transient: boolean

  constructor(message: string, transient: boolean) {
    super(message)
    this.transient = transient
  }
}

export interface Sending {
  /** What the server names what it was sent. Rejects with a {@link SendError} whose message is the sentence to show. */
  readonly done: Promise<string>
  readonly abort: () => void
}

interface Sent {
  readonly to: string
  readonly body: Blob | FormData
  readonly headers?: Readonly<Record<string, string>>
  /** The field of the answer that holds the name. */
  readonly answer: string
  /** What to show where the server says nothing. */
  readonly refused: string
}

function sentenceIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null
  if ('error' in body) return sentenceIn(body.error)
  return 'message' in body && typeof body.message === 'string' ? body.message : null
}

function textIn(body: unknown, field: string): string | null {
  const value: unknown = typeof body === 'object' && body !== null ? Object.entries(body).find(([name]) => name === field)?.[1] : null // prettier-ignore
  return typeof value === 'string' ? value : null
}

/** @param onProgress share sent, 0..1 */
export function send(
  { to, body, headers = {}, answer, refused }: Sent,
  onProgress: (fraction: number) => void,
): Sending {
  const request = new XMLHttpRequest()
  const done = new Promise<string>((resolve, reject) => {
    request.open('POST', to)
    request.responseType = 'json'
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onload = () => {
      const named = textIn(request.response, answer)
      if (named !== null) resolve(named)
      else reject(new SendError(sentenceIn(request.response) ?? refused, request.status >= 500))
    }
    request.onerror = () => {
      reject(new SendError('Limelight’s server does not answer. Check that it is still running, then try again.', true))
    }
    request.onabort = () => {
      reject(new SendError('Sending was stopped.', true))
    }
    request.send(body)
  })
  return {
    done,
    abort: () => {
      request.abort()
    },
  }
}
