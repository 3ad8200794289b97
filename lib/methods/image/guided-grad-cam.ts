/**
 * Guided Grad-CAM: the fine lines of guided backpropagation, kept where Grad-CAM is positive.
 *
 * Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391, section 3.2: up(ReLU(Grad-CAM)) times guided backpropagation, pixel by
 * pixel; the colours of a pixel are added up, so that the map is one number a pixel, signed. Grad-CAM is not scaled to 0..1 first.
 */
import { abs, given, gradient, max, multiply, relu, resize, sum } from '../../engine/formula.ts'
import { float32 } from '../../tensor/tensor.ts'
import { imageMethod } from '../method.ts'
import { readOnce, tapIn } from '../shared/reading.ts'
import { readingOf } from '../shared/vary.ts'
import { gradCam } from './grad-cam.ts'
import { LARGEST_GRADIENT, MAP, plane } from './shared/cam.ts'
import { diagnoseMap } from './shared/diagnose.ts'
import { layerParams, type LayerParams } from './shared/layer.ts'
import { notRectified } from './shared/rectified.ts'

const RULES = 'guided-relu'
const CAM = 'cam'

export const guidedGradCam = imageMethod<LayerParams>({
  id: 'guided-grad-cam',
  version: 1,
  modality: 'image',
  family: 'CAM',
  title: 'Guided Grad-CAM',
  summary: 'Fine lines where Grad-CAM finds the class: guided backpropagation times the enlarged map of a layer.',
  meaning:
    'A map as large as the picture. Grad-CAM at the chosen layer says where the class is, without its negative part and enlarged smoothly; guided backpropagation says at which edges the network’s rectifiers are open and positive all the way down; the two are multiplied pixel by pixel. It was made to show fine detail that belongs to the class. A pixel’s sign is that of the guided gradient: whether more or less of its colours would excite what was found.',
  misleads:
    'Where, it has from Grad-CAM; the lines within hardly depend on the class or even on the trained weights: guided backpropagation redraws edges of the picture, and stays nearly the same when later layers are randomised (Adebayo et al. 2018). Detailed is therefore not the same as faithful, and an outline that looks right is no proof that the model uses it. Where Grad-CAM has no positive value the map is empty, whatever the guided gradient shows.',
  paper: {
    title: 'Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization',
    authors: 'Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra',
    year: 2017,
    url: 'https://arxiv.org/abs/1610.02391',
  },
  needs: [
    { place: 'spatial-tap', gradient: true },
    { place: 'input', gradient: true, rules: RULES },
  ],
  params: layerParams,
  output: { kind: 'map', signed: true, complete: false },
  // Grad-CAM, and once more with other rules down to the picture.
  cost: () => 9,
  async run(context, params) {
    const { input, picture, head } = context
    const coarse = readingOf(gradCam, context, params)
    const { outputs, logits, target } = await readOnce(context, coarse)
    const cam = coarse.attribution(outputs)
    context.progress(0.5)
    const [, , height = 0, width = 0] = picture.dims
    const where = resize(relu(given(CAM)), [height, width])
    const fine = await readOnce(context, {
      target,
      outputs: {
        [MAP]: sum(multiply(where, gradient(input)), [1]),
        [LARGEST_GRADIENT]: max(abs(gradient(input)), [1, 2, 3]),
      },
      shared: { [CAM]: float32(cam.data, [1, 1, ...cam.dims]) },
      rules: { id: RULES },
      attribution: (found) => plane(found[MAP]),
    })
    context.progress(1)
    const map = plane(fine.outputs[MAP])
    const largest = fine.outputs[LARGEST_GRADIENT]?.data[0] ?? null
    // An empty Grad-CAM is the reason for an empty product, and says why itself.
    const empty = largest !== 0 && cam.data.every((value) => value <= 0)
    const found = diagnoseMap(empty ? cam : map, logits, target, largest, head.link)
    const diagnoses = [...notRectified(context.model), ...found]
    return { kind: 'image', map, layer: tapIn(context).id, logits, diagnoses }
  },
})
