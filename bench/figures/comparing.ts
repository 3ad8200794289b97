/** What a comparison of many methods costs beside the one pass that they share. */
import { cam } from '../../lib/methods/image/cam.ts'
import { eigenCam } from '../../lib/methods/image/eigen-cam.ts'
import { eigenGradCam } from '../../lib/methods/image/eigen-grad-cam.ts'
import { elementwiseGradCam } from '../../lib/methods/image/elementwise-grad-cam.ts'
import { gradCam } from '../../lib/methods/image/grad-cam.ts'
import { gradCamPlusPlus } from '../../lib/methods/image/grad-cam-plus-plus.ts'
import { hiresCam } from '../../lib/methods/image/hires-cam.ts'
import { layerCam } from '../../lib/methods/image/layer-cam.ts'
import { xgradCam } from '../../lib/methods/image/xgrad-cam.ts'
import { runSharing, SharedReads } from '../../lib/methods/shared/shared-reads.ts'
import { atMost, type Figure } from '../figure.ts'
import { compare } from '../measure.ts'
import { pictureContext } from './contexts.ts'
import { oneClass, type Opened } from './opened.ts'
import { TARGET } from './yardstick.ts'

/** Every CAM that reads the last layer once, and Grad-CAM++ as three peers have it. */
const CAMS = [
  ...[gradCam, gradCamPlusPlus, xgradCam, layerCam, hiresCam, elementwiseGradCam, eigenCam, eigenGradCam, cam].map(
    (method) => ({ method, params: {} }),
  ),
  ...['pytorch-grad-cam', 'torch-cam', 'xplique'].map((dialect) => ({ method: gradCamPlusPlus, params: { dialect } })),
]

/** All of them at the last layer, over one pass forward to the logits and back to that layer. */
export async function camsOverGradient(
  { product, image, model, network, classes }: Opened,
  rounds: number,
): Promise<Figure> {
  const comparison = async (): Promise<void> => {
    const reads = new SharedReads()
    for (const { method, params } of CAMS) {
      const context = pictureContext(product, method, image, TARGET)
      await runSharing(method, context, method.params.parse({ ...params, layer: network.lastMap }), reads)
    }
  }
  const pass = () =>
    model.ask({
      feeds: { image },
      read: [model.logits],
      gradient: { of: { [model.logits]: oneClass(classes) }, wrt: [network.lastMap] },
    })
  const { ratio, aMs, bMs } = await compare(comparison, pass, rounds)
  return {
    name: `cam_comparison_over_gradient.${network.name}`,
    value: ratio,
    bar: atMost(3),
    unit: 'gradient passes',
    detail: { ms: aMs, gradientMs: bMs, rounds, methods: CAMS.length },
  }
}
