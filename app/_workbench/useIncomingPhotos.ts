'use client'

import { useEffect, useEffectEvent, useState } from 'react'

function imageIn(files: FileList | undefined): File | undefined {
  const list = Array.from(files ?? [])
  return list.find((file) => file.type.startsWith('image/')) ?? list[0]
}

/** Takes files dropped anywhere on the page and pictures pasted into it; true while a file is dragged over. */
export function useIncomingPhotos(onPhoto: (file: File) => void): boolean {
  const [dragging, setDragging] = useState(false)
  const take = useEffectEvent((file: File) => {
    onPhoto(file)
  })

  useEffect(() => {
    const listening = new AbortController()
    const { signal } = listening
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    window.addEventListener(
      'dragover',
      (event) => {
        if (!carriesFiles(event)) return
        event.preventDefault()
        setDragging(true)
      },
      { signal },
    )
    window.addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) setDragging(false)
      },
      { signal },
    )
    window.addEventListener(
      'drop',
      (event) => {
        if (!carriesFiles(event)) return
        event.preventDefault()
        setDragging(false)
        const file = imageIn(event.dataTransfer?.files)
        if (file) take(file)
      },
      { signal },
    )
    window.addEventListener(
      'paste',
      (event) => {
        const file = imageIn(event.clipboardData?.files)
        if (!file) return
        event.preventDefault()
        take(file)
      },
      { signal },
    )
    return () => {
      listening.abort()
    }
  }, [])
  return dragging
}
