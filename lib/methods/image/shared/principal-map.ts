/**
 * A map that is the first principal component of a layer's cells: what varies most over the picture.
 *
 * Letters: C channels, h x w extent of the layer.
 */
import { float32, type FloatTensor } from '../../../tensor/tensor.ts'
import type { Diagnosis } from '../../diagnosis.ts'
import { firstPrincipalComponent } from '../../shared/linear-algebra.ts'
import type { FoundMap } from './cam.ts'

/** A correlation under this says nothing about which side of the map is meant. */
const FAINT = 0.3

/** Pearson's, -1..1; 0 where one of the two is constant. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const centred = (values: readonly number[]): readonly number[] => {
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length
    return values.map((one) => one - mean)
  }
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, one, at) => sum + one * (y[at] ?? Number.NaN), 0)
  const [left, right] = [centred(a), centred(b)]
  const scale = Math.sqrt(dot(left, left) * dot(right, right))
  return scale > 0 ? dot(left, right) / scale : 0
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

function oriented(share: number, agreement: number, mean: string): Diagnosis {
  const what = `The map is the first principal component of the layer, which holds ${percent(share)} of what varies over the picture. Its sign is arbitrary: it was chosen so that the map goes with ${mean} (correlation ${agreement.toFixed(2)}).`
  return agreement < FAINT
    ? {
        code: 'SIGN_ORIENTED',
        severity: 'warning',
        message: `${what} They hardly go together, so bright may as well mean background here: look at the signed map.`,
      }
    : { code: 'SIGN_ORIENTED', severity: 'info', message: what }
}

/**
 * @param cells [C, h, w]
 * @param mean what the mean over channels is called, for people
 * @param centred whether the mean cell is taken away first
 * @returns each cell along the component, [h, w], on the side that correlates with the mean over channels
 */
export function principalMap({ dims, data }: FloatTensor, mean: string, centred = true): FoundMap {
  const [channels = 0, height = 0, width = 0] = dims
  const area = height * width
  const samples = new Float64Array(area * channels) // [h w, C]
  const means = new Array<number>(area).fill(0)
  for (let channel = 0; channel < channels; channel++)
    for (let at = 0; at < area; at++) {
      const one = data[channel * area + at] as number
      samples[at * channels + channel] = one
      means[at] = (means[at] as number) + one / channels
    }
  const { projections, share } = firstPrincipalComponent(samples, channels, centred)
  const agreement = correlation(projections, means)
  const sign = agreement < 0 ? -1 : 1
  const map = float32(Float32Array.from(projections, (one) => sign * one), [height, width]) // prettier-ignore
  // All cells alike: there is no component, and an empty map says so itself.
  return { map, diagnoses: share > 0 ? [oriented(share, Math.abs(agreement), mean)] : [] }
}
