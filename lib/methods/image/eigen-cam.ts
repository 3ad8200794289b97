/**
 * Eigen-CAM: the layer's cells along their first principal component, whatever the class.
 *
 * Muhammad and Yeasin 2020, https://arxiv.org/abs/2008.00299, equations 2 to 4: A as a matrix [H W, C] = U S V^T, map = A V_1. The
 * paper does not centre A; pytorch-grad-cam does, and so does Limelight by default (`centred`), since else the component is
 * little more than the mean activation. A component's sign is arbitrary: the map is turned to the side that correlates with the
 * mean activation, and a diagnosis says how well it does.
 */
import { z } from 'zod'
import { answered } from '../shared/batches.ts'
import { readingCam } from './shared/cam.ts'
import { layerParams } from './shared/layer.ts'
import { principalMap } from './shared/principal-map.ts'

const CELLS = 'cells'
const params = layerParams.extend({
  centred: z.boolean().default(true).meta({
    title: 'Centred',
    description:
      'Take the mean cell away first, so that the map shows what varies over the picture (as pytorch-grad-cam does). Off: as the paper writes it, where the mean activation weighs in.',
  }),
})

export const eigenCam = readingCam<z.infer<typeof params>>(
  {
    id: 'eigen-cam',
    version: 1,
    title: 'Eigen-CAM',
    summary: 'What stands out most in a layer, for whatever class: its cells along their first principal component.',
    meaning:
      'A map of the layer, one number a cell: how far the channels there lie along the direction in which the cells of this picture differ most. It asks neither for a class nor for a gradient, and is the same for all of them: it shows what the layer sets apart from the rest of the picture, which in a late layer of a good classifier is often the object. Zero is the mean cell; the unit is that of the activations.',
    misleads:
      'It explains no decision: two pictures’ classes never enter, so it cannot tell a cat from the dog beside it, and a model with random weights gives plausible maps too. Where several objects or a strong background compete, the first component may be any of them; the diagnosis says how much of the variation it holds. Its sign is a convention: where the map hardly goes with the mean activation, bright and dark may be exchanged.',
    paper: {
      title: 'Eigen-CAM: Class Activation Map using Principal Components',
      authors: 'Muhammad, Yeasin',
      year: 2020,
      url: 'https://arxiv.org/abs/2008.00299',
    },
    params,
    gradient: false,
    classAgnostic: true,
  },
  {
    outputs: (activation) => ({ [CELLS]: activation }),
    found: (outputs, { centred }) => principalMap(answered(outputs, CELLS), 'the mean activation', centred),
  },
)
