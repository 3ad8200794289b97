/**
 * By what each method's numbers are held, and how closely, for the table in docs/methods.md. The tests that do it are those of the
 * method (test/unit/methods); the scripts that compute the goldens are in bench/conformance.
 */
import type { Modality } from '../../lib/models/card.ts'

interface Held {
  /** The peer, or what stands for the paper. */
  readonly by: string
  /** Largest difference, as a share of the largest value; in words where it is no such number. */
  readonly to: string
}

const GRAD_CAM = 'pytorch-grad-cam 1.5.7'
const TORCH_CAM = 'torch-cam 0.5.0'
const CAPTUM = 'Captum 0.9.0'
const PAPER = 'the paper, literally'
const DETACHED = 'the paper’s rules as detached gradients in PyTorch'
const SAME_DRAWS = `${CAPTUM}, the same random numbers`

const held = (by: string, to: string): Held => ({ by, to })

export const CONFORMANCE: Readonly<Record<Modality, Readonly<Record<string, Held>>>> = {
  image: {
    'grad-cam': held(GRAD_CAM, '1e-4'),
    cam: held(PAPER, '1e-5'),
    'grad-cam-plus-plus': held(`${PAPER}; its dialects: ${GRAD_CAM}, ${TORCH_CAM}`, '1e-4'),
    'hires-cam': held(GRAD_CAM, '1e-4'),
    'layer-cam': held(GRAD_CAM, '1e-4'),
    'xgrad-cam': held(GRAD_CAM, '1e-4'),
    'elementwise-grad-cam': held(GRAD_CAM, '1e-4'),
    'eigen-cam': held(`${GRAD_CAM}; uncentred: ${PAPER}`, '1e-4'),
    'eigen-grad-cam': held(GRAD_CAM, '1e-4'),
    'finer-cam': held(`${TORCH_CAM}; its dialect: ${GRAD_CAM}`, '1e-4'),
    'score-cam': held(`${PAPER}; its dialect: ${GRAD_CAM}`, '1e-4'),
    'ablation-cam': held(`${GRAD_CAM} and ${PAPER}`, '1e-4'),
    'guided-grad-cam': held(GRAD_CAM, '1e-4'),
    'full-grad': held(`${GRAD_CAM} and ${PAPER}`, '1e-4'),
    legrad: held(`${TORCH_CAM}, and finite differences`, '1e-4'),
    craft: held('planted concepts; no peer’s numbers', 'which concepts, where'),
    'integrated-gradients': held(CAPTUM, '1e-4'),
    'blur-ig': held('the paper’s integral by autograd', '1e-4'),
    'guided-ig': held('PAIR’s saliency 0.2.1', '1e-4'),
    idgi: held(PAPER, '1e-4'),
    xrai: held('a literal loop over scikit-image 0.26.0', '1e-6'),
    'expected-gradients': held(SAME_DRAWS, '1e-4'),
    'gradient-shap': held(SAME_DRAWS, '1e-4'),
    gradient: held('PyTorch’s gradient', '1e-4'),
    'input-x-gradient': held(CAPTUM, '1e-4'),
    'smooth-grad': held(SAME_DRAWS, '1e-4'),
    'var-grad': held(SAME_DRAWS, '1e-4'),
    'square-grad': held(SAME_DRAWS, '1e-4'),
    'guided-backprop': held(CAPTUM, '1e-4'),
    deconvnet: held(CAPTUM, '1e-4'),
    'deep-lift': held(CAPTUM, '1e-4'),
    lrp: held(CAPTUM, '1e-4'),
    occlusion: held(CAPTUM, '1e-6'),
    rise: held('a literal loop, the same masks', '1e-6'),
    lime: held('scikit-learn 1.9.1’s ridge', '1e-9'),
    'kernel-shap': held('Shapley values by enumeration', '1e-9'),
  },
  text: {
    'integrated-gradients': held('closed form', '1e-6'),
    'input-x-gradient': held(CAPTUM, '1e-4'),
    'gradient-norm': held('closed form; PyTorch’s gradients', '1e-4'),
    'smooth-grad': held('a literal loop, the same noise', '1e-5'),
    'gradient-shap': held(SAME_DRAWS, '1e-4'),
    'expected-gradients': held('closed form of the expectation', 'its sampling error'),
    idgi: held(PAPER, '1e-4'),
    'libra-grad': held(DETACHED, '1e-4'),
    'deep-lift': held(CAPTUM, '1e-4'),
    'attn-lrp': held(DETACHED, '1e-4'),
    'cp-lrp': held(DETACHED, '1e-4'),
    lrp: held(CAPTUM, '1e-4'),
    'attention-rollout': held(PAPER, '1e-4'),
    'attention-gradient': held(PAPER, '1e-4'),
    occlusion: held('closed form', '1e-5'),
    lime: held('scikit-learn 1.9.1’s ridge', '1e-9'),
    'kernel-shap': held('Shapley values by enumeration', '1e-9'),
    'partition-shap': held('shap 0.51.0’s Partition', '1e-9'),
  },
}
