'use client'

import { useEffect, useState } from 'react'

export interface SamplePhoto {
  readonly file: string
  readonly title: string
  readonly alt: string
  readonly source: string
  readonly licence: string
  readonly author?: string
  readonly url?: string
}

export interface SampleReview {
  readonly title: string
  readonly text: string
}

/** The list in a file of samples: the file itself, or the one list in it. */
function listIn(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body
  return typeof body === 'object' && body !== null ? (Object.values(body).find(Array.isArray) ?? []) : []
}

/** The samples bundled with Limelight; an empty list until they are here, and where there are none. */
export function useSamples<T>(address: string): readonly T[] {
  const [samples, setSamples] = useState<readonly T[]>([])
  useEffect(() => {
    const request = new AbortController()
    fetch(address, { signal: request.signal })
      .then((response) => (response.ok ? response.json() : []))
      .then((body: unknown) => {
        setSamples(listIn(body) as T[])
      })
      .catch(() => undefined)
    return () => {
      request.abort()
    }
  }, [address])
  return samples
}
