/**
 * Writes down what bench/conformance/metrics.py computes goldens of: the closed-form models of test/helpers/metric-cases.ts and
 * every number that a metric draws from its seed.
 *
 *     npx tsx bench/conformance/metrics.ts > test/fixtures/conformance/metrics/inputs.json
 */
import { randomStream } from '../../lib/methods/shared/random.ts'
import { setSizes } from '../../lib/metrics/image/sensitivity-n.ts'
import { randomSets, randomSquares } from '../../lib/metrics/image/shared/subsets.ts'
import { float32 } from '../../lib/tensor/tensor.ts'
import { IDS, INSIDE, PICTURE, SIDE, SPANS, V_PICTURE, W } from '../../test/helpers/metric-cases.ts'
import { MASK, PAD, SIZE, U, V, wordOf } from '../../test/unit/methods/text/fake-model.ts'

const SEED = 0
const area = SIDE * SIDE
const drawn = { seed: SEED, picture: float32(PICTURE, [1, 3, SIDE, SIDE]) }
const plain = (sets: readonly ArrayLike<number>[]): number[][] => sets.map((set) => Array.from(set))
const uniforms = (purpose: string, row: number, count: number): number[] => {
  const { uniform } = randomStream(SEED, purpose, row)
  return Array.from({ length: count }, uniform)
}
const words = IDS.map((_, at) => at).slice(1, -1)

const inputs = {
  image: {
    side: SIDE,
    picture: PICTURE,
    w: W,
    v: V_PICTURE,
    inside: Array.from(INSIDE),
    subsets: plain(randomSets(drawn, 20, Math.round(0.25 * area), 'subset')),
    sensitivity: setSizes(area, 4).map((size) => plain(randomSets(drawn, 10, size, `subset of ${size}`))),
    squares: plain(randomSquares(drawn, 20, 2)),
    /** In -1..1, before the radius and the range of 255 levels. */
    neighbours: [0, 1, 2].map((row) => uniforms('neighbour', row, PICTURE.length).map((one) => 2 * one - 1)),
    otherClasses: randomStream(SEED, 'other classes').permutation(2, 2),
    /** Of deviation 1. */
    noise: [0, 1].map((row) => {
      const { normal } = randomStream(SEED, 'noise', row)
      return PICTURE.map(() => normal())
    }),
  },
  text: {
    ids: IDS,
    u: U,
    v: V,
    pad: PAD,
    mask: MASK,
    words: Object.fromEntries([...new Set([...IDS, PAD, MASK])].map((id) => [id, wordOf(id)])),
    spans: SPANS,
    neighbours: [0, 1, 2].map((row) =>
      randomStream(SEED, 'neighbour', row)
        .permutation(words.length, 2)
        .map((at) => words[at]),
    ),
    otherClasses: randomStream(SEED, 'other classes').permutation(2, 2),
    dropped: [0, 1, 2, 3].map((row) => uniforms('dropped elements', row, IDS.length * SIZE)),
  },
}
process.stdout.write(`${JSON.stringify(inputs)}\n`)
