/** What single methods are beside the rule, by id. */
import type { Peculiar } from './describe-image-method.ts'

export const PECULIAR: Readonly<Record<string, Peculiar>> = {
  craft: { quick: { crops: 4, samples: 8, concepts: 3 } },
  deconvnet: { blind: true },
  'expected-gradients': { quick: { samples: 8 } },
  'full-grad': { spreads: true },
  'gradient-shap': { quick: { samples: 8 } },
  'guided-ig': { quick: { steps: 60 } },
  idgi: { quick: { steps: 8 } },
  'kernel-shap': { quick: { samples: 40, segments: 9 } },
  lime: { quick: { samples: 100, segments: 9 } },
  rise: { quick: { masks: 200 } },
  'smooth-grad': { quick: { samples: 4 } },
  'square-grad': { quick: { samples: 4 } },
  'var-grad': { quick: { samples: 4 } },
  xrai: { quick: { steps: 8 } },
}
