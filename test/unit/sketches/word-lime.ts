/** LIME on words (Ribeiro et al. 2016, 1602.04938): a weighted ridge regression of the target on which words are there. */
import { z } from 'zod'
import { textMethod } from '../../../lib/methods/method.ts'
import { answersInBatches, answered } from '../../../lib/methods/shared/batches.ts'
import { saturation } from '../../../lib/methods/shared/diagnoses.ts'
import { ridgeRegression } from '../../../lib/methods/shared/linear-algebra.ts'
import { logitsOf } from '../../../lib/methods/shared/logits.ts'
import { randomStream } from '../../../lib/methods/shared/random.ts'
import { scalarOf, settled } from '../../../lib/target/scalar.ts'
import { float32, row } from '../../../lib/tensor/tensor.ts'

const params = z.strictObject({
  samples: z.int().min(10).max(10_000).default(200).meta({
    title: 'Samples',
    description: 'Texts with words left out; the first is the text itself.',
  }),
  width: z.number().gt(0).default(0.25).meta({
    title: 'Kernel width',
    description: 'Of the exponential kernel on the share of words left out.',
  }),
  ridge: z.number().min(0).default(1).meta({ title: 'Ridge', description: 'Draws the weights of words to zero.' }),
})

export const wordLime = textMethod<z.infer<typeof params>>({
  id: 'lime',
  version: 1,
  modality: 'text',
  family: 'perturbation',
  title: 'LIME',
  summary: 'Which words a linear model near this text goes by.',
  meaning: '',
  misleads: '',
  paper: null,
  needs: [],
  params,
  output: { kind: 'tokens', signed: true, complete: false },
  cost: ({ samples }) => samples + 1,
  async run(context, { samples, width, ridge }) {
    const { head, seed, tokenIds } = context
    const words = context.words()
    const logits = await logitsOf(context)
    const target = settled(context.target, logits.data)
    const diagnoses = saturation('text', logits.data, target, context.head.link)
    const shares = new Float32Array(tokenIds.length)
    const scored = float32(shares, [tokenIds.length])
    const result = {
      kind: 'text',
      scores: scored,
      wordReduction: 'sum',
      logits,
      completeness: null,
      diagnoses,
    } as const
    if (words.length === 0) {
      context.progress(1)
      return result
    }
    const kept = Array.from({ length: samples }, (_, sample) => {
      if (sample === 0) return words.map(() => 1)
      const random = randomStream(seed, 'words', sample)
      const without = new Set(random.permutation(words.length, 1 + random.integer(words.length)))
      return words.map((_word, word) => (without.has(word) ? 0 : 1))
    })
    /** The text without some of its words: their tokens are deleted. */
    const idsOf = (present: readonly number[]): number[] => {
      const gone = new Set(words.flatMap((tokens, word) => (present[word] === 1 ? [] : tokens)))
      return tokenIds.filter((_, token) => !gone.has(token))
    }
    const scores: number[] = []
    const rows = { total: samples, perQuestion: 16 }
    const batches = answersInBatches(context, rows, ({ first, count }) => ({
      feeds: context.feedsFor(kept.slice(first, first + count).map(idsOf)).feeds,
      read: [head.logits],
    }))
    for await (const { answer, count } of batches)
      for (let at = 0; at < count; at += 1)
        scores.push(scalarOf(target, row(answered(answer.values, head.logits), at).data, head.link))
    const fit = ridgeRegression(
      {
        features: kept.flat(),
        targets: scores,
        weights: kept.map((present) => {
          const distance = 1 - Math.sqrt(present.filter((one) => one === 1).length / words.length)
          return Math.exp(-((distance / width) ** 2))
        }),
      },
      ridge,
    )
    // A word's weight is shared by its tokens, so that their sum is the word's.
    words.forEach((tokens, word) => {
      for (const token of tokens) shares[token] = (fit.coefficients[word] ?? 0) / tokens.length
    })
    return result
  },
})
