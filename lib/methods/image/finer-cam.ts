/**
 * Finer-CAM: Grad-CAM of what tells a class from the ones most like it.
 *
 * Zhang et al. 2025, https://arxiv.org/abs/2501.11309: Grad-CAM of S_c - gamma mean_d S_d over T references d, by default the T
 * classes whose scores are nearest to S_c. pytorch-grad-cam's FinerCAM explains S_c - alpha sum_d w_d S_d, w the softmax over
 * the references, and differentiates w too: d/dS_d = -alpha w_d (1 + S_d - sum_e w_e S_e), which is a contrast with these weights.
 */
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { softmax } from '../../target/links.ts'
import { classOf, settled } from '../../target/scalar.ts'
import type { Target } from '../../target/target.ts'
import { imageMethod } from '../method.ts'
import { saturation } from '../shared/diagnoses.ts'
import { logitsOf } from '../shared/logits.ts'
import { readingOf } from '../shared/vary.ts'
import { gradCam } from './grad-cam.ts'
import { layerParams } from './shared/layer.ts'

const params = layerParams.extend({
  strength: z.number().min(0).max(2).default(0.6).meta({
    title: 'Strength',
    description:
      'How much of the similar classes’ scores is taken away (gamma): 0 is Grad-CAM, 1 shows only what tells them apart.',
  }),
  references: z.int().min(1).max(100).default(3).meta({
    title: 'References',
    description: 'How many similar classes to compare with: those whose scores are nearest to the class’s own.',
  }),
  against: z.int().min(0).nullable().default(null).meta({
    title: 'Against',
    description: 'The one class to compare with, by its index; empty: the most similar ones.',
  }),
  dialect: z.enum(['paper', 'pytorch-grad-cam']).default('paper').meta({
    title: 'Dialect',
    description:
      'How several references are weighed: all alike, as in the paper, or by their probabilities, as pytorch-grad-cam does (its strength is 1 by default).',
  }),
})
type Params = z.infer<typeof params>

/** The classes whose scores are nearest to that of the class, nearest first. */
function nearest(logits: ArrayLike<number>, index: number, count: number): readonly number[] {
  const distance = (other: number): number => Math.abs((logits[other] ?? NaN) - (logits[index] ?? NaN))
  return Array.from({ length: logits.length }, (_, other) => other)
    .filter((other) => other !== index)
    .sort((a, b) => distance(a) - distance(b) || a - b)
    .slice(0, count)
}

/**
 * S_c less the weighted scores of classes like it; a contrast that is asked for stays what it is.
 * @param logits of the input, [K]
 * @throws AppError BAD_PARAMETER where the target is no class, or there is none to compare it with
 */
export function finerTarget(
  target: Target,
  logits: ArrayLike<number>,
  { strength, references, against, dialect }: Omit<Params, 'layer'>,
): Target {
  if (target.kind === 'contrast') return target
  const index = classOf(target, logits)
  const others = index === null ? [] : against === null ? nearest(logits, index, references) : [against]
  if (index === null || others.length === 0 || others.includes(index))
    throw new AppError({
      code: 'BAD_PARAMETER',
      message: `Finer-CAM compares a class with others, and ${index === null ? 'the target is no class' : logits.length < 2 ? 'this model has only one' : `class ${index} is no other than itself`}. Name a class, and another one in "against".`,
    })
  const scores = others.map((other) => logits[other] ?? Number.NaN)
  const shares = softmax(scores)
  const mean = shares.reduce((sum, share, at) => sum + share * (scores[at] ?? NaN), 0)
  const weightOf = (at: number): number =>
    dialect === 'paper' ? 1 / others.length : (shares[at] ?? NaN) * (1 + (scores[at] ?? NaN) - mean)
  const weighed = others.map((other, at) => ({ index: other, weight: strength * weightOf(at) }))
  return { kind: 'contrast', index, others: weighed }
}

export const finerCam = imageMethod<Params>({
  id: 'finer-cam',
  version: 1,
  modality: 'image',
  family: 'CAM',
  title: 'Finer-CAM',
  summary: 'What in the picture tells the class from those most like it: Grad-CAM of the difference of their scores.',
  meaning:
    'A map of the layer, one number a cell: Grad-CAM of the class’s score less a share (the strength) of the mean score of the classes nearest to it. What all of them feed on cancels, and what is left shows the marks by which the model prefers this class: a wing bar rather than the bird. Positive cells speak for the class against its likes, negative ones for the likes. At strength 0 it is Grad-CAM.',
  misleads:
    'It answers another question than Grad-CAM: a cell may be dark and still be what the class is recognised by, if the similar classes are recognised by it too. Which classes count as similar is decided by their scores on this picture, and with few classes, as with two, the nearest may not be alike at all; name one yourself then. At a strength near 1 the difference is small beside both scores, and the map is mostly the noise of Grad-CAM’s averaging.',
  paper: {
    title: 'Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation',
    authors: 'Zhang, Gu, Chowdhury, Mai, Carlyn, Berger-Wolf, Su, Chao',
    year: 2025,
    url: 'https://arxiv.org/abs/2501.11309',
  },
  needs: [{ place: 'spatial-tap', gradient: true }],
  params,
  output: { kind: 'map', signed: true, complete: false },
  // The scores first, to know the contrast; then as Grad-CAM.
  cost: () => 5,
  /** @throws AppError METHOD_UNAVAILABLE where the contrast is not known yet */
  reading(context, { layer }) {
    if (context.target.kind === 'contrast') return readingOf(gradCam, context, { layer })
    throw new AppError({
      code: 'METHOD_UNAVAILABLE',
      message:
        'Finer-CAM has to know the scores before it is read once: ask for the contrast of the class with those like it.',
    })
  },
  async run(context, { layer, ...contrast }) {
    const logits = await logitsOf(context)
    const target = settled(context.target, logits.data)
    const found = await gradCam.run({ ...context, target: finerTarget(target, logits.data, contrast) }, { layer })
    return { ...found, diagnoses: [...found.diagnoses, ...saturation('image', logits.data, target, context.head.link)] }
  },
})
