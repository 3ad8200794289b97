/** PartitionSHAP: Owen values of words, grouped in a tree of sentences, phrases and words. */
import { z } from 'zod'
import type { TextContext, TokenGroup } from '../context.ts'
import type { Diagnosis } from '../diagnosis.ts'
import { nobody } from '../shared/coalitions.ts'
import { balancedTree, leaf, owenValues, type Cluster } from '../shared/owen.ts'
import { hidingParam } from './shared/hiding.ts'
import { scalarParam } from './shared/scalar-param.ts'
import { wordMethod } from './shared/word-method.ts'

const params = z.strictObject({
  evaluations: z.int().min(2).max(10_000).default(500).meta({
    title: 'Predictions',
    description:
      'At most so many: groups of words with the most at stake are opened first. About two thirds of the square of the number of words open them all.',
  }),
  hiding: hidingParam('mask'),
  scalar: scalarParam,
})

export const partitionShap = wordMethod<z.infer<typeof params>>({
  id: 'partition-shap',
  version: 1,
  title: 'PartitionSHAP',
  summary:
    'What each word adds to the score, with the words in a tree of sentences and phrases that are shown and hidden together. Adds up, at far fewer predictions than KernelSHAP.',
  meaning:
    'Owen values: Shapley values under the rule that words enter by their groups, sentences first, then halves of a sentence down to single words, as in shap\u2019s Partition explainer. They add up to F(text) - F(text with every word hidden), exactly, and that sum is on the run. Nothing is drawn at random: the same text gives the same values whatever the seed.',
  misleads:
    'The values depend on the tree: words that count together across the border of two halves share their worth by groups, not by themselves. Where the predictions end before the tree is open, words of a group have equal parts of what the group is worth, and the run says how many; then read groups, not words. As with every such method, texts of mostly hidden words are unlike what the model was trained on.',
  paper: {
    title: 'Values of Games with a Priori Unions',
    authors: 'Owen',
    year: 1977,
    url: 'https://doi.org/10.1007/978-3-642-45494-3_7',
  },
  params,
  complete: true,
  cost: ({ evaluations }) => evaluations + 2,
  async play({ context, words, game, whole }, { evaluations }) {
    const [empty = NaN] = await game.worths([nobody(words.length)], () => undefined)
    const tree = treeOf(context, words)
    const found = await owenValues(game, tree, { empty, full: whole }, evaluations, context.progress)
    return {
      values: found.values,
      empty,
      asked: found.asked + 1,
      diagnoses: spent(found.coarse, words.length, evaluations),
    }
  },
})

/** Sentences halved again and again, and so each one's words. */
function treeOf(context: TextContext, words: readonly TokenGroup[]): Cluster {
  const sentenceOf = new Map(
    context.sentences().flatMap((tokens, sentence) => tokens.map((token) => [token, sentence] as const)),
  )
  const sentences = new Map<number, Cluster[]>()
  words.forEach(([first = -1], word) => {
    const sentence = sentenceOf.get(first) ?? -1
    sentences.set(sentence, [...(sentences.get(sentence) ?? []), leaf(word)])
  })
  return balancedTree([...sentences.values()].map(balancedTree))
}

function spent(coarse: number, words: number, evaluations: number): readonly Diagnosis[] {
  if (coarse === 0) return []
  return [
    {
      code: 'BUDGET_SPENT',
      severity: 'info',
      message: `The ${evaluations} predictions allowed ended before every group was opened: ${coarse} of ${words} words have an even part of what some group of theirs is worth. Allow more predictions for values of single words.`,
    },
  ]
}
