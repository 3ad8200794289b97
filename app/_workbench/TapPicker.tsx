'use client'

import type { Setup } from '../_graphql/types.ts'

/** Where the chosen method can be asked, as the server judges it. */
export type MethodPlace = Pick<Setup['methods'][number], 'layers' | 'defaultLayer'>

interface TapPickerProps {
  readonly setup: Setup
  readonly place: MethodPlace
  readonly value: unknown
  readonly ids: { readonly id: string; readonly 'aria-describedby': string | undefined }
  readonly onChange: (tap: string | undefined) => void
}

/** Chooses a layer of the model; maps that no gradient reaches say why, others that the method cannot use are left out. */
export function TapPicker({ setup, place, value, ids, onChange }: TapPickerProps) {
  const usable = new Set(place.layers)
  const taps = setup.taps.filter((tap) => usable.has(tap.id) || (tap.spatial && !tap.differentiable))
  const preset = setup.taps.find(({ id }) => id === place.defaultLayer)
  const chosen = taps.some(({ id }) => id === value) ? String(value) : ''
  return (
    <select
      {...ids}
      value={chosen}
      onChange={(event) => {
        onChange(event.target.value === '' ? undefined : event.target.value)
      }}
    >
      <option value="">Default: {preset?.label ?? place.defaultLayer ?? 'none'}</option>
      {taps.map((tap) => (
        <option key={tap.id} value={tap.id} disabled={!usable.has(tap.id)}>
          {tap.label}
          {tap.shape.length >= 4 ? `, ${tap.shape.slice(-2).join(' × ')}` : ''}
          {usable.has(tap.id) ? '' : ` (${tap.reason ?? 'no gradient'})`}
        </option>
      ))}
    </select>
  )
}
