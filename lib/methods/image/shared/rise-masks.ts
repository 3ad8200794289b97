/**
 * The masks of RISE (Petsiuk et al. 2018, section 3.2): a grid of open and closed cells, enlarged bilinearly to one cell more
 * than the picture along each side, and cut out at a random shift of less than a cell.
 *
 * Enlarging and shifting are linear along each side, mask = D(dy) G A(dx), so a row is stated by its grid and two small
 * matrices; and as there are only as many shifts as pixels in a cell, the weighted sum of all masks is one grid a shift,
 * enlarged once at the end.
 *
 * Letters: N masks, g cells along a side, H x W extent, c the side of a cell in pixels.
 */
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { Batch } from '../../shared/batches.ts'
import { randomStream } from '../../shared/random.ts'

interface Drawn {
  /** 0 or 1, [g, g]. */
  readonly cells: Float32Array
  /** In pixels, [down, across], each from 0 on and below c. */
  readonly shift: readonly [number, number]
}

interface RiseMasks {
  readonly height: number
  readonly width: number
  readonly grid: number
  /** Sides of a cell, c, [down, across]. */
  readonly cell: readonly [number, number]
  /** The same one whatever the batches are. */
  readonly drawn: (mask: number) => Drawn
  /** `down` [N, 1, H, g], `cells` [N, 1, g, g], `across` [N, 1, g, W]; the mask is their product. */
  rows(batch: Batch): Readonly<Record<'down' | 'cells' | 'across', FloatTensor>>
  /** The two cells that each pixel of an axis lies between, at a shift. */
  readonly between: (axis: 0 | 1, shift: number) => readonly Between[]
}

interface Between {
  readonly cell: number
  readonly next: number
  /** Of the next one, 0..1. */
  readonly weight: number
}

/** As `resize` of the engine: between the centres of cells, repeated outside of them. */
function enlarged(extent: number, grid: number, cell: number, shift: number): readonly Between[] {
  // The grid covers (g + 1) c pixels.
  const scale = grid / ((grid + 1) * cell)
  return Array.from({ length: extent }, (_, at) => {
    const place = Math.min(grid - 1, Math.max(0, (at + shift + 0.5) * scale - 0.5))
    const first = Math.min(Math.floor(place), grid - 1)
    return { cell: first, next: Math.min(first + 1, grid - 1), weight: place - first }
  })
}

/** Sides of a cell, [down, across]. */
const cellsOf = ([height, width]: readonly [number, number], grid: number) =>
  [Math.ceil(height / grid), Math.ceil(width / grid)] as const

/**
 * What the run draws for each mask.
 * @param share probability that a cell is open
 */
export function drawnMasks(extent: readonly [number, number], grid: number, share: number, seed: number) {
  const [down, across] = cellsOf(extent, grid)
  return (mask: number): Drawn => {
    const { uniform, integer } = randomStream(seed, 'masks', mask)
    const cells = Float32Array.from({ length: grid * grid }, () => Number(uniform() < share))
    return { cells, shift: [integer(down), integer(across)] }
  }
}

/** @param drawn of each mask, the same whenever it is asked */
export function riseMasks(
  [height, width]: readonly [number, number],
  grid: number,
  drawn: (mask: number) => Drawn,
): RiseMasks {
  const extents = [height, width] as const
  const cell = cellsOf(extents, grid)
  const tables = cell.map((side, axis) =>
    Array.from({ length: side }, (_, shift) => enlarged(extents[axis as 0 | 1], grid, side, shift)),
  )
  const between: RiseMasks['between'] = (axis, shift) => tables[axis]?.[shift] ?? []
  return {
    height,
    width,
    grid,
    cell,
    between,
    drawn,
    rows({ first, count }) {
      const down = new Float32Array(count * height * grid)
      const across = new Float32Array(count * grid * width)
      const cells = new Float32Array(count * grid * grid)
      for (let row = 0; row < count; row += 1) {
        const mask = drawn(first + row)
        cells.set(mask.cells, row * grid * grid)
        between(0, mask.shift[0]).forEach((one, y) => {
          const line = (row * height + y) * grid
          down[line + one.cell] = 1 - one.weight
          down[line + one.next] = (down[line + one.next] as number) + one.weight
        })
        between(1, mask.shift[1]).forEach((one, x) => {
          const column = row * grid * width + x
          across[column + one.cell * width] = 1 - one.weight
          across[column + one.next * width] = (across[column + one.next * width] as number) + one.weight
        })
      }
      return {
        down: float32(down, [count, 1, height, grid]),
        cells: float32(cells, [count, 1, grid, grid]),
        across: float32(across, [count, 1, grid, width]),
      }
    },
  }
}

/** Sum over masks of score * mask, in double precision and in the order of the masks, whatever the batches are. */
export class MaskSums {
  readonly #masks: RiseMasks
  /** One grid a shift, [c, c, g, g]. */
  readonly #sums: Float64Array

  constructor(masks: RiseMasks) {
    this.#masks = masks
    this.#sums = new Float64Array(masks.cell[0] * masks.cell[1] * masks.grid ** 2)
  }

  add(mask: number, score: number): void {
    const { cells, shift } = this.#masks.drawn(mask)
    const from = (shift[0] * this.#masks.cell[1] + shift[1]) * cells.length
    cells.forEach((open, at) => (this.#sums[from + at] = (this.#sums[from + at] as number) + open * score))
  }

  /** The sum enlarged, times a factor, [H, W]. */
  map(factor: number): FloatTensor {
    const { height, width, grid, cell, between } = this.#masks
    const map = new Float64Array(height * width)
    for (let dy = 0; dy < cell[0]; dy += 1) {
      const lines = new Float64Array(grid * width) // enlarged across, of all shifts across together
      for (let dx = 0; dx < cell[1]; dx += 1) {
        const from = (dy * cell[1] + dx) * grid * grid
        between(1, dx).forEach((one, x) => {
          for (let y = 0; y < grid; y += 1) {
            const [left, right] = [from + y * grid + one.cell, from + y * grid + one.next]
            lines[y * width + x] =
              (lines[y * width + x] as number) +
              (1 - one.weight) * (this.#sums[left] as number) +
              one.weight * (this.#sums[right] as number)
          }
        })
      }
      between(0, dy).forEach((one, y) => {
        for (let x = 0; x < width; x += 1)
          map[y * width + x] =
            (map[y * width + x] as number) +
            (1 - one.weight) * (lines[one.cell * width + x] as number) +
            one.weight * (lines[one.next * width + x] as number)
      })
    }
    return float32(
      Float32Array.from(map, (sum) => sum * factor),
      [height, width],
    )
  }
}
