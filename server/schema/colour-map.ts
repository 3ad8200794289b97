import { COLOUR_MAP_IDS, COLOUR_MAPS, coloursOf, type ColourMap } from '../../lib/render/colour-maps.ts'
import { answerSize } from './answer-size.ts'
import type { Builder } from './builder.ts'

/** So that a page has the very colours that the server draws with. */
export function addColourMap(builder: Builder): void {
  const ColourMapKind = builder.enumType('ColourMapKind', {
    description: 'What the colours of a map stand for.',
    values: {
      SEQUENTIAL: { value: 'sequential', description: 'For evidence that only grows: the lowest colour is zero.' },
      DIVERGING: { value: 'diverging', description: 'For evidence on both sides: the pale middle is zero.' },
    } as const,
  })
  const ColourMapRef = builder.objectRef<ColourMap>('ColourMap').implement({
    description: 'A scale of colours that maps are drawn with.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'The `colormap` of overlay.png.' }),
      title: t.exposeString('title'),
      kind: t.field({ type: ColourMapKind, resolve: ({ kind }) => kind }),
      colours: t.stringList({
        description: '256 of them, `#rrggbb`, from the lowest to the highest value.',
        extensions: answerSize({ assumedSize: 256 }),
        resolve: coloursOf,
      }),
    }),
  })
  builder.queryField('colourMaps', (t) =>
    t.field({
      type: [ColourMapRef],
      description: 'Every colour map; the first of each kind is the one that is meant when none is named.',
      extensions: answerSize({ assumedSize: 10 }),
      resolve: () => COLOUR_MAP_IDS.map((id) => COLOUR_MAPS[id]),
    }),
  )
}
