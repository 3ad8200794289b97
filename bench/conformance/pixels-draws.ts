/**
 * The random numbers of Limelight's seeded streams, for goldens that another language computes with the same ones.
 *
 *     npx tsx bench/conformance/pixels-draws.ts > draws.json
 */
import { randomStream } from '../../lib/methods/shared/random.ts'

const SEED = 11
const SAMPLES = 6
const NUMBERS = 3 * 16 * 20

const rows = <T>(draw: (row: number) => T): T[] => Array.from({ length: SAMPLES }, (_, row) => draw(row))

process.stdout.write(
  JSON.stringify({
    seed: SEED,
    /** Standard normal, one picture a sample. */
    noise: rows((row) => {
      const { normal } = randomStream(SEED, 'noise', row)
      return Array.from({ length: NUMBERS }, normal)
    }),
    /** One colour a sample, 0..1. */
    colours: rows((row) => {
      const { uniform } = randomStream(SEED, 'baseline', row)
      return Array.from({ length: 3 }, uniform)
    }),
    alphas: rows((row) => randomStream(SEED, 'alpha', row).uniform()),
  }),
)
