/**
 * Layer-wise relevance propagation: the score handed back layer by layer, each unit's share in proportion to what it gave.
 *
 * Bach et al. 2015, https://doi.org/10.1371/journal.pone.0130140, equations 56 and 60; rules and their composite by depth after
 * Montavon et al. 2019, https://doi.org/10.1007/978-3-030-28954-6_10, section 10.3: γ in the lower half of the convolutions, ε in the
 * upper half, the plain rule in what is no convolution. ε is absolute here (the chapter takes a share of the layer's spread).
 */
import { z } from 'zod'
import { multiply } from '../../engine/formula.ts'
import type { RuleSet, Tap } from '../../engine/model.ts'
import { pixelMethod } from './shared/pixels.ts'

const params = z.strictObject({
  rule: z.enum(['composite', 'epsilon', 'gamma']).default('composite').meta({
    title: 'Rule',
    description:
      'composite: γ in the lower half of the convolutions, ε in the upper half, neither behind them. epsilon or gamma: the same rule at every layer.',
  }),
  epsilon: z.number().min(0).max(10).default(0.01).meta({
    title: 'ε',
    description: 'Added to the size of what relevance is divided by: absorbs weak and contradictory evidence.',
  }),
  gamma: z.number().min(0).max(100).default(0.25).meta({
    title: 'γ',
    description: 'By how much positive weights count more than negative ones.',
  }),
})
type Params = z.infer<typeof params>

/** Keeps quotients finite, and changes no digit that is shown. */
const STABLE = 1e-9

/** The rules of each layer. @param taps in graph order, so a convolution's place among them is its depth */
export function lrpRules(taps: readonly Tap[], { rule, epsilon, gamma }: Params): RuleSet {
  if (rule === 'epsilon') return { id: 'lrp', params: { epsilon, gamma: 0 } }
  if (rule === 'gamma') return { id: 'lrp', params: { epsilon: STABLE, gamma } }
  const convolutions = taps.filter((tap) => tap.kind === 'conv' && tap.differentiable)
  const byTap = convolutions.map(({ id }, depth) => {
    const lower = depth < convolutions.length / 2
    return [id, { params: lower ? { epsilon: STABLE, gamma } : { epsilon, gamma: 0 } }] as const
  })
  return { id: 'lrp', params: { epsilon: STABLE, gamma: 0 }, byTap: Object.fromEntries(byTap) }
}

export const lrp = pixelMethod<Params>({
  id: 'lrp',
  version: 1,
  family: 'relevance',
  title: 'LRP',
  summary:
    'The score of the class handed back through the network, layer by layer, to the pixels that made it. Clean maps from rules chosen by depth.',
  meaning:
    "Each layer passes the relevance of its outputs to its inputs in proportion to what each contributed. With the ε rule weak and contradictory contributions are absorbed, with the γ rule positive ones count more; the composite uses γ near the picture and ε near the class, as its authors advise. A pixel's number is its share of the score: the map adds up to the score less what biases and ε took.",
  misleads:
    'The map is a product of the rules as much as of the network: γ shows little of what speaks against the class, and with ε near 0 and nothing else LRP is input × gradient in a ReLU network, noise included. Rules hold for convolutions and linear layers; products and normalisations by the input are refused. Biases keep a share that no pixel gets, so the sum is no check. LRP and its descendants are covered by patents in some countries; the method is one file, so that a distributor can leave it out.',
  paper: {
    title: 'On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation',
    authors: 'Bach, Binder, Montavon, Klauschen, Müller, Samek',
    year: 2015,
    url: 'https://doi.org/10.1371/journal.pone.0130140',
  },
  params,
  needsRules: 'lrp',
  read: ({ model }, chosen) => ({
    perColour: (slope, picture) => multiply(slope, picture),
    rules: lrpRules(model.taps, chosen),
  }),
})
