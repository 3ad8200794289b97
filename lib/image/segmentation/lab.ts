/** sRGB to CIE L*a*b* (D65, 2 degrees), in which equal distances look about equally far. */

/** Linear sRGB to XYZ, as scikit-image has it (IEC 61966-2-1). */
const TO_XYZ = [
  [0.412453, 0.35758, 0.180423],
  [0.212671, 0.71516, 0.072169],
  [0.019334, 0.119193, 0.950227],
] as const
const WHITE = [0.95047, 1, 1.08883] as const

const linear = (share: number): number => (share > 0.04045 ? ((share + 0.055) / 1.055) ** 2.4 : share / 12.92)
const bent = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)

/**
 * @param rgb [H, W, 3], 0..1
 * @returns [H, W, 3]: L* 0..100, a* and b* about -128..127
 */
export function labOf(rgb: ArrayLike<number>): Float64Array {
  const lab = new Float64Array(rgb.length)
  for (let at = 0; at < rgb.length; at += 3) {
    const [red, green, blue] = [0, 1, 2].map((channel) => linear(rgb[at + channel] ?? 0)) as [number, number, number]
    const [x, y, z] = TO_XYZ.map(([r, g, b], axis) => bent((r * red + g * green + b * blue) / (WHITE[axis] ?? 1))) as [
      number,
      number,
      number,
    ]
    lab[at] = 116 * y - 16
    lab[at + 1] = 500 * (x - y)
    lab[at + 2] = 200 * (y - z)
  }
  return lab
}
