/** A first principal component by power iteration: shares no line with the product's. */

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, one, at) => sum + one * (b[at] ?? NaN), 0)

/**
 * @param channels [C][H W]
 * @returns each cell along the component, turned to the side of the mean over channels, [H W]
 */
export function literalPrincipal(channels: readonly (readonly number[])[], centred = true): readonly number[] {
  const cells = channels[0]?.length ?? 0
  const columns = channels.map((channel) => {
    const mean = centred ? channel.reduce((sum, one) => sum + one, 0) / cells : 0
    return channel.map((one) => one - mean)
  })
  let direction = columns.map((_, at) => 1 + at / 10)
  for (let turn = 0; turn < 5000; turn++) {
    const along = Array.from({ length: cells }, (_, cell) => columns.reduce((sum, column, k) => sum + (column[cell] ?? NaN) * (direction[k] ?? NaN), 0)) // prettier-ignore
    const next = columns.map((column) => dot(column, along))
    const length = Math.sqrt(dot(next, next))
    if (length === 0) break
    direction = next.map((one) => one / length)
  }
  const projected = Array.from({ length: cells }, (_, cell) => columns.reduce((sum, column, k) => sum + (column[cell] ?? NaN) * (direction[k] ?? NaN), 0)) // prettier-ignore
  const mean = Array.from({ length: cells }, (_, cell) => channels.reduce((sum, channel) => sum + (channel[cell] ?? NaN), 0)) // prettier-ignore
  const centre = (values: readonly number[]): number[] => {
    const middle = values.reduce((sum, one) => sum + one, 0) / cells
    return values.map((one) => one - middle)
  }
  const sign = dot(centre(projected), centre(mean)) < 0 ? -1 : 1
  return projected.map((one) => sign * one)
}
