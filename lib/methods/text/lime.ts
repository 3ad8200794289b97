/** LIME on words (Ribeiro et al. 2016, 1602.04938): a linear model of the score on which words are there. */
import { z } from 'zod'
import { limeFields, limeSamples, limeSurrogate, misfit } from '../shared/lime.ts'
import { hidingParam } from './shared/hiding.ts'
import { scalarParam } from './shared/scalar-param.ts'
import { wordMethod } from './shared/word-method.ts'

const params = z.strictObject({ ...limeFields(1000), hiding: hidingParam('delete'), scalar: scalarParam })

export const lime = wordMethod<z.infer<typeof params>>({
  id: 'lime',
  version: 1,
  title: 'LIME',
  summary:
    'Which words a linear model near this text goes by: it is fitted to the scores of the text with some of its words left out.',
  meaning:
    'The text is scored with a random number of its words left out, many times; a ridge regression, in which texts that lack few words weigh most, says how much the score rises when a word is there. A word\u2019s weight is in the unit of the score: positive speaks for the class. It is shared evenly by the word\u2019s tokens, and each occurrence of a word has its own. How much of the scores\u2019 variation the linear model explains (R\u00b2) is checked, and said where it is under a half.',
  misleads:
    'The weights are those of the linear model, not of the network: kernel width and ridge are free choices, and texts with most words gone are no language. Phrases that count together (\u201cnot good\u201d) are spread over their words. With few samples a long text\u2019s weights are noise drawn towards zero by the ridge: run it with another seed, and trust what keeps its sign. The weights do not add up to the score; KernelSHAP\u2019s do.',
  paper: {
    title: '"Why Should I Trust You?": Explaining the Predictions of Any Classifier',
    authors: 'Ribeiro, Singh, Guestrin',
    year: 2016,
    url: 'https://arxiv.org/abs/1602.04938',
  },
  params,
  complete: false,
  cost: ({ samples }) => samples + 1,
  async play({ context, words, game }, chosen) {
    const samples = limeSamples(context.seed, words.length, chosen.samples)
    const surrogate = limeSurrogate(samples, await game.worths(samples, context.progress), chosen)
    return { values: surrogate.coefficients, asked: samples.length, diagnoses: misfit(surrogate) }
  },
})
