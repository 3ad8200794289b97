/** KernelSHAP on words (Lundberg and Lee 2017, 1705.07874): the Shapley values of words, by sampling. */
import { z } from 'zod'
import { nobody } from '../shared/coalitions.ts'
import { coalitionsNeeded, kernelCoalitions, samplesField, shapleyValues } from '../shared/kernel-shap.ts'
import { hidingParam } from './shared/hiding.ts'
import { scalarParam } from './shared/scalar-param.ts'
import { wordMethod } from './shared/word-method.ts'

const params = z.strictObject({ samples: samplesField, hiding: hidingParam('mask'), scalar: scalarParam })

export const kernelShap = wordMethod<z.infer<typeof params>>({
  id: 'kernel-shap',
  version: 1,
  title: 'KernelSHAP',
  summary:
    'What each word adds to the score, averaged over all orders in which the words can be shown. The scores add up to the score less that of a text of hidden words.',
  meaning:
    'The Shapley value of a word is what it adds to the score of the class, averaged over all orders in which the words can be uncovered one by one. It is estimated by a regression over random sets of words, each with its complement, and exactly where the samples suffice for all sets. The values add up to F(text) - F(text with every word hidden), exactly, and that sum is on the run; a word\u2019s value is shared evenly by its tokens.',
  misleads:
    'Most of the sets hide half of the words, and what a model says of such a text is not what it was trained for. The values add up however few samples there are, so completeness says nothing of their error: for a long text take many more than two samples a word, and compare two seeds. A value blends what a word says alone and with others; shapley-style numbers cannot tell \u201cnot\u201d and \u201cgood\u201d from two mildly bad words.',
  paper: {
    title: 'A Unified Approach to Interpreting Model Predictions',
    authors: 'Lundberg, Lee',
    year: 2017,
    url: 'https://arxiv.org/abs/1705.07874',
  },
  params,
  complete: true,
  cost: ({ samples }, { tokens }) => coalitionsNeeded(tokens, samples) + 2,
  async play({ context, words, game, whole }, { samples }) {
    const drawn = kernelCoalitions(context.seed, words.length, samples)
    const asked = [nobody(words.length), ...drawn.coalitions]
    const [empty = NaN, ...worths] = await game.worths(asked, context.progress)
    return { values: shapleyValues(drawn, worths, empty, whole), empty, asked: asked.length, diagnoses: [] }
  },
})
