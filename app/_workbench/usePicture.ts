'use client'

import { useEffect, useRef, useState } from 'react'
import type { Run } from '../_graphql/types.ts'
import { SendError } from '../_ui/send.ts'
import { uploadImage } from './upload.ts'

export type UploadState =
  | { readonly kind: 'sending'; readonly fraction: number }
  | { readonly kind: 'stored'; readonly assetId: string }
  | { readonly kind: 'failed'; readonly message: string; readonly transient: boolean }

export interface Picture {
  /** Another one for each picture that is brought, the same file twice included. */
  readonly key: string
  readonly name: string
  /** What the history calls it; null for a picture that came without a name. */
  readonly fileName: string | null
  readonly alt: string
  /** Null where this browser cannot show the file; the server's copy is shown then. */
  readonly url: string | null
  readonly width: number
  readonly height: number
  readonly upload: UploadState
  /** Absent where the picture came out of an earlier run. */
  readonly file?: Blob
}

/** Width and height as shown, or null where the browser cannot read the file. */
async function measure(url: string): Promise<{ width: number; height: number } | null> {
  const image = new Image()
  image.src = url
  try {
    await image.decode()
    return { width: image.naturalWidth, height: image.naturalHeight }
  } catch {
    return null
  }
}

/** The picture on the bench: shown from the local file at once, while it is being sent. */
export function usePicture() {
  const [picture, setPicture] = useState<Picture | null>(null)
  const current = useRef<{ ticket: number; abort: () => void; url: string | null }>({
    ticket: 0,
    abort: () => undefined,
    url: null,
  })

  function start(): number {
    current.current.abort()
    if (current.current.url) URL.revokeObjectURL(current.current.url)
    const ticket = current.current.ticket + 1
    current.current = { ticket, abort: () => undefined, url: null }
    return ticket
  }

  async function send(ticket: number, file: Blob) {
    const update = (upload: UploadState) => {
      if (current.current.ticket === ticket) setPicture((before) => (before ? { ...before, upload } : before))
    }
    update({ kind: 'sending', fraction: 0 })
    const upload = uploadImage(file, (fraction) => {
      update({ kind: 'sending', fraction })
    })
    current.current.abort = upload.abort
    try {
      update({ kind: 'stored', assetId: await upload.done })
    } catch (thrown) {
      const isKnown = thrown instanceof SendError
      update({
        kind: 'failed',
        message: isKnown ? thrown.message : String(thrown),
        transient: isKnown && thrown.transient,
      })
    }
  }

  async function choose(file: Blob, name: string, alt: string) {
    const ticket = start()
    const url = URL.createObjectURL(file)
    current.current.url = url
    const size = await measure(url)
    if (current.current.ticket !== ticket) return
    setPicture({
      key: `brought ${ticket}`,
      name,
      fileName: name,
      alt,
      url: size ? url : null,
      width: size?.width ?? 4,
      height: size?.height ?? 3,
      upload: { kind: 'sending', fraction: 0 },
      file,
    })
    await send(ticket, file)
  }

  function restore(image: NonNullable<Run['image']>, name: string | null) {
    start()
    setPicture({
      key: image.id,
      name: name ?? 'Picture of an earlier run',
      fileName: name,
      alt: 'The explained picture',
      url: image.url,
      width: image.width,
      height: image.height,
      upload: { kind: 'stored', assetId: image.id },
    })
  }

  useEffect(
    () => () => {
      current.current.abort()
    },
    [],
  )

  return {
    picture,
    choose,
    restore,
    retry: () => {
      if (picture?.file) void send(current.current.ticket, picture.file)
    },
    clear: () => {
      start()
      setPicture(null)
    },
  }
}
