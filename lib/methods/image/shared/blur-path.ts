/**
 * The path from a blurred picture to the picture itself: Gaussian blurs whose width falls to 0, made in the graph by two matrix
 * products each, with their exact derivative.
 *
 * Letters: N rows, C colours, H x W extent; B(σ) the blur along one axis (lib/image/blur.ts), s its share of the way, 0..1.
 */
import { add, given, matmul } from '../../../engine/formula.ts'
import { blurMatrices, type BlurMatrices } from '../../../image/blur.ts'
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { Path } from '../../shared/path-rows.ts'

/** Where the Gaussian is cut, in standard deviations of the widest one. */
const CUT = 4

interface BlurPath extends Path {
  /** The widest blur, [1, C, H, W]. */
  readonly baseline: FloatTensor
}

/** [n, n] -> [n, n] with rows and columns exchanged. */
function turned(matrix: Float32Array, extent: number): Float32Array {
  return Float32Array.from(matrix, (_, at) => matrix[(at % extent) * extent + Math.floor(at / extent)] ?? 0)
}

/** Matrices of several rows, [N, 1, n, n]. */
function stacked(matrices: readonly Float32Array[], extent: number): FloatTensor {
  const data = new Float32Array(matrices.length * extent * extent)
  matrices.forEach((one, row) => data.set(one, row * extent * extent))
  return float32(data, [matrices.length, 1, extent, extent])
}

/** rows x picture x columns, a plane of H x W at a time. */
function between(picture: FloatTensor, down: Float32Array, across: Float32Array): FloatTensor {
  const [, , height = 0, width = 0] = picture.dims
  const half = new Float64Array(picture.data.length)
  const blurred = new Float32Array(picture.data.length)
  const planes = picture.data.length / (height * width)
  for (let plane = 0; plane < planes; plane += 1) {
    const start = plane * height * width
    for (let y = 0; y < height; y += 1)
      for (let from = 0; from < height; from += 1) {
        const weight = down[y * height + from] as number
        if (weight === 0) continue
        for (let x = 0; x < width; x += 1)
          half[start + y * width + x] = (half[start + y * width + x] as number) + weight * (picture.data[start + from * width + x] as number) // prettier-ignore
      }
    for (let y = 0; y < height; y += 1)
      for (let x = 0; x < width; x += 1) {
        let sum = 0
        for (let from = 0; from < width; from += 1)
          sum += (across[x * width + from] as number) * (half[start + y * width + from] as number)
        blurred[start + y * width + x] = sum
      }
  }
  return float32(blurred, picture.dims)
}

/**
 * At share s of the way σ = widest (1 - s)²: most of a picture appears in the last pixels of width, so the points lie there.
 * @param widest standard deviation at the beginning, in pixels, above 0
 */
export function blurPath(picture: FloatTensor, widest: number): BlurPath {
  const [, , height = 0, width = 0] = picture.dims
  const radius = Math.ceil(CUT * widest)
  const matrices = (extent: number, alphas: readonly number[]): BlurMatrices[] =>
    alphas.map((share) => {
      const { blur, slope } = blurMatrices(extent, widest * (1 - share) ** 2, radius)
      return { blur, slope: slope.map((one) => -2 * widest * (1 - share) * one) } // by the share, no longer by σ
    })
  const twice = (down: string, across: string) => matmul(matmul(given(down), given('picture')), given(across))
  return {
    shared: { picture },
    at: twice('down', 'across'),
    way: add(twice('down slope', 'across'), twice('down', 'across slope')),
    perRow(alphas) {
      const [rows, columns] = [matrices(height, alphas), matrices(width, alphas)]
      return {
        down: stacked(rows.map((one) => one.blur), height), // prettier-ignore
        'down slope': stacked(rows.map((one) => one.slope), height), // prettier-ignore
        across: stacked(columns.map((one) => turned(one.blur, width)), width), // prettier-ignore
        'across slope': stacked(columns.map((one) => turned(one.slope, width)), width), // prettier-ignore
      }
    },
    baseline: between(picture, blurMatrices(height, widest, radius).blur, blurMatrices(width, widest, radius).blur),
  }
}
