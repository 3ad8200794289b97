'use client'

import type { Setup } from '../_graphql/types.ts'

interface TapPickerProps {
  readonly setup: Setup
  /** Only layers with a height and a width. */
  readonly spatial: boolean
  readonly value: unknown
  readonly ids: { readonly id: string; readonly 'aria-describedby': string | undefined }
  readonly onChange: (tap: string | undefined) => void
}

/** Chooses a layer of the model; those that cannot be used say why. */
export function TapPicker({ setup, spatial, value, ids, onChange }: TapPickerProps) {
  const taps = setup.taps.filter((tap) => tap.spatial || !spatial)
  const preset = setup.taps.find(({ id }) => id === setup.defaultTap)
  const chosen = taps.some(({ id }) => id === value) ? String(value) : ''
  return (
    <select
      {...ids}
      value={chosen}
      onChange={(event) => {
        onChange(event.target.value === '' ? undefined : event.target.value)
      }}
    >
      <option value="">Default: {preset?.label ?? setup.defaultTap}</option>
      {taps.map((tap) => (
        <option key={tap.id} value={tap.id} disabled={!tap.differentiable}>
          {tap.label}
          {tap.shape.length >= 4 ? `, ${tap.shape.slice(-2).join(' × ')}` : ''}
          {tap.differentiable ? '' : ` (${tap.reason ?? 'no gradient'})`}
        </option>
      ))}
    </select>
  )
}
