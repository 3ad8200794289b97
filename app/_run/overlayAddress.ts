interface OverlayOptions {
  readonly view: 'overlay' | 'heat'
  /** null: the server's choice. */
  readonly colormap: string | null
  readonly rectify: boolean
  /** 0..1 */
  readonly opacity?: number
  /** Pixels of the longer side; left out: as large as the picture. */
  readonly size?: number
}

/** The address of a map's PNG with the display options as query parameters, relative to this origin where the answer's is. */
export function overlayAddress(overlayUrl: string, options: OverlayOptions): string {
  const [path = '', query = ''] = overlayUrl.split('?')
  const parameters = new URLSearchParams(query)
  parameters.set('view', options.view)
  if (options.colormap !== null) parameters.set('colormap', options.colormap)
  parameters.set('rectify', String(options.rectify))
  if (options.opacity !== undefined) parameters.set('opacity', String(options.opacity))
  if (options.size !== undefined) parameters.set('size', String(options.size))
  return `${path}?${parameters.toString()}`
}
