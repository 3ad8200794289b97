/** The `layer` parameter of image methods: which tap to look at. */
import { z } from 'zod'

/** `tap: 'spatial'` tells the UI to offer the model's spatial taps as a list. */
const layerField = z.string().min(1).nullable().default(null).meta({
  title: 'Layer',
  description:
    'The layer whose map is explained: late layers show what the model recognised, early ones where it saw edges and texture. By default the last map, or what the model card names.',
  tap: 'spatial',
})

/** The parameters of a method that has no other. */
export const layerParams = z.strictObject({ layer: layerField })
export type LayerParams = z.infer<typeof layerParams>
