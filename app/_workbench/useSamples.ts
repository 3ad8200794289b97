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

export function isSamplePhoto(sample: unknown): sample is SamplePhoto {
  return hasTexts(sample, ['file', 'title', 'alt', 'source', 'licence'])
}

export interface SampleReview {
  readonly title: string
  readonly text: string
}

export function isSampleReview(sample: unknown): sample is SampleReview {
  return hasTexts(sample, ['title', 'text'])
}

function hasTexts(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Readonly<Record<string, unknown>>
  return names.every((name) => typeof fields[name] === 'string')
}

/** The list in a file of samples: the file itself, or the one list in it. */
function listIn(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body
  return typeof body === 'object' && body !== null ? (Object.values(body).find(Array.isArray) ?? []) : []
}

/** The samples bundled with Limelight; an empty list until they are here, and where there are none. */
export function useSamples<T>(address: string, isSample: (value: unknown) => value is T): readonly T[] {
  const [samples, setSamples] = useState<readonly T[]>([])
  useEffect(() => {
    const request = new AbortController()
    fetch(address, { signal: request.signal })
      .then((response) => (response.ok ? response.json() : []))
      .then((body: unknown) => {
        setSamples(listIn(body).filter(isSample))
      })
      .catch(() => undefined)
    return () => {
      request.abort()
    }
  }, [address, isSample])
  return samples
}
