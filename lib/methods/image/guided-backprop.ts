/**
 * Guided backpropagation: the gradient that goes back only through rectifiers that were open, and only where it is positive.
 *
 * Springenberg et al. 2014, https://arxiv.org/abs/1412.6806, section 3.4. ReLU6 and its like, Clip(0, c), are rectifiers; hard
 * sigmoid, hard swish, swish, GELU and the others keep their plain gradient, which is said (NOT_RECTIFIED).
 */
import { z } from 'zod'
import { notRectified } from './shared/rectified.ts'
import { pixelMethod, viewField } from './shared/pixels.ts'

const params = z.strictObject({ view: viewField })

export const guidedBackprop = pixelMethod<z.infer<typeof params>>({
  id: 'guided-backprop',
  version: 1,
  title: 'Guided backpropagation',
  summary:
    'Sharp outlines of what the network reacts to: the gradient, kept only where it is positive at every ReLU. Beautiful, and hardly about the class.',
  meaning:
    'A gradient that was cut at each ReLU to what is positive and passed an open unit. What is left shows which edges and textures excite the units behind the prediction, in fine detail. It is no derivative of the score any more; its size has no unit, only its picture does.',
  misleads:
    'It reconstructs the input much more than it explains the decision: the map stays nearly the same when the weights of the upper layers are made random or another class is asked for (Adebayo et al. 2018, 1810.03292; Nie et al. 2018, 1805.07039). Never use it alone to say why a class was chosen. Times a Grad-CAM (Guided Grad-CAM) the region comes from the latter. Activations that are no rectifiers are passed plainly, so networks with swish or GELU give something between this and the gradient.',
  paper: {
    title: 'Striving for Simplicity: The All Convolutional Net',
    authors: 'Springenberg, Dosovitskiy, Brox, Riedmiller',
    year: 2014,
    url: 'https://arxiv.org/abs/1412.6806',
  },
  params,
  needsRules: 'guided-relu',
  read: (_context, { view }) => ({ perColour: (slope) => slope, view, rules: { id: 'guided-relu' } }),
  says: ({ model }) => notRectified(model),
})
