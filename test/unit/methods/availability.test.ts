/** Which methods a model can be explained with: settled before a run is accepted. */
import { describe, expect, test } from 'vitest'
import { whyUnavailable } from '../../../lib/methods/availability.ts'
import { gradCam } from '../../../lib/methods/image/grad-cam.ts'
import { TinyCnn } from '../../helpers/tiny-cnn.ts'

const reason = 'No gradient rule for Hardmax between it and the output.'
const spatial = ['input', 'conv1', 'relu1', 'pool1', 'conv2', 'relu2']
const lacking = (taps: readonly string[]): Record<string, string> =>
  Object.fromEntries(taps.map((tap) => [tap, reason]))

describe('a CAM made of a gradient', () => {
  test('is available where one layer with a height and width has one, whatever the default layer is', async () => {
    const model = new TinyCnn({ defaultTap: 'conv1', undifferentiable: lacking(spatial.slice(0, -1)) })
    expect(await whyUnavailable(gradCam, model, 'image')).toBeNull()
  })
  test('is not where none has, though a vector behind them does: the reason names the operators', async () => {
    const model = new TinyCnn({ defaultTap: 'gap', undifferentiable: lacking(spatial) })
    expect(await whyUnavailable(gradCam, model, 'image')).toBe(reason)
  })
})
