'use client'

import { useState } from 'react'

interface NumberInputProps {
  readonly id?: string
  readonly 'aria-label'?: string
  readonly 'aria-describedby'?: string | undefined
  readonly range: { readonly integer: boolean; readonly min: number | undefined; readonly max: number | undefined }
  readonly value: unknown
  readonly onCommit: (value: number) => void
}

/** A number that counts once it is complete: on Enter, on leaving the field, and with every step of the arrows. */
export function NumberInput({ range, value, onCommit, ...labels }: NumberInputProps) {
  const shown = typeof value === 'number' ? String(value) : ''
  const [typed, setTyped] = useState<string | null>(null)

  function commit() {
    const number = Number(typed)
    if (typed !== null && typed.trim() !== '' && Number.isFinite(number) && number !== value) onCommit(number)
    setTyped(null)
  }

  return (
    <input
      {...labels}
      type="number"
      min={range.min}
      max={range.max}
      step={range.integer ? 1 : 'any'}
      value={typed ?? shown}
      onChange={(event) => {
        setTyped(event.target.value)
      }}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit()
      }}
    />
  )
}
