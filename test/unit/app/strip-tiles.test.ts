/** What the strip of layers shows of a model's taps and of the maps that came. */
import { expect, test } from 'vitest'
import type { Setup, StripMap } from '../../../app/_graphql/types.ts'
import { stripTiles } from '../../../app/_workbench/stripTiles.ts'

type Tap = Setup['taps'][number]
const tap = (id: string, more: Partial<Tap> = {}): Tap => ({
  id,
  label: `module of ${id}`,
  kind: 'conv',
  operator: 'Conv',
  shape: [1, 4, 7, 7],
  spatial: true,
  differentiable: true,
  reason: null,
  ...more,
})
const map = (layer: string, diagnoses: StripMap['diagnoses'] = []): StripMap => ({
  layer,
  attribution: { __typename: 'ImageAttribution', overlayUrl: `/api/runs/r/overlay.png?map=${layer}` },
  diagnoses,
})

test('layers with a map and layers that no gradient reaches, in network order, each with what is to be known of it', () => {
  const taps = [
    tap('image', { kind: 'input', differentiable: false, reason: 'It is the picture.' }),
    tap('early', { differentiable: false, reason: 'No gradient rule for Round.' }),
    tap('dead', { differentiable: false }),
    tap('twin'),
    tap('middle'),
    tap('late'),
    tap('vector', { spatial: false, differentiable: false }),
  ]
  const flat = { severity: 'WARNING', message: 'The map is the same everywhere.' } as const
  const told = { severity: 'INFO', message: 'The picture was converted.' } as const
  expect(stripTiles(taps, [map('late'), map('middle', [told, flat])])).toEqual([
    { layer: 'early', label: 'module of early', overlayUrl: null, remark: 'No gradient rule for Round.' },
    { layer: 'dead', label: 'module of dead', overlayUrl: null, remark: 'No gradient reaches it.' },
    {
      layer: 'middle',
      label: 'module of middle',
      overlayUrl: '/api/runs/r/overlay.png?map=middle',
      remark: flat.message,
    },
    { layer: 'late', label: 'module of late', overlayUrl: '/api/runs/r/overlay.png?map=late', remark: '' },
  ])
})
